"""A server on loopback that answers with the very bytes a test gives it, HTTP or not.

For what no web framework would send: half a header, a broken chunk, a byte at a time.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Bytes are sent; a number is a pause in seconds that ends early when the client hangs up.
Step = bytes | float
FOREVER = float("inf")

EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def event(text: str = "", finish: str | None = None, **delta: object) -> bytes:
    """One event of the OpenAI dialect."""
    delta |= {"content": text} if text else {}
    return (
        b"data: %s\n\n"
        % json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode()
    )


WHOLE: list[Step] = [EVENTS, event("Hello"), event(finish="stop"), b"data: [DONE]\n\n"]


@dataclass
class RawEndpoint:
    """`url` is the base URL; `requests` are the heads and bodies that came, as bytes."""

    url: str
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def raw_endpoint(*scripts: Iterable[Step], port: int = 0) -> Iterator[RawEndpoint]:
    """Each connection gets the next script, the last one all that follow; then it is closed."""
    left = list(scripts)
    lock = threading.Lock()
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", port)) as listener:
        endpoint = RawEndpoint(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return  # closed: the test is over
                with lock:
                    script = left.pop(0) if len(left) > 1 else left[0]
                thread = threading.Thread(target=serve, args=(connection, script), daemon=True)
                threads.append(thread)
                thread.start()

        def serve(connection: socket.socket, script: Iterable[Step]) -> None:
            with connection:
                try:
                    endpoint.requests.append(_request(connection))
                    for step in script:
                        if isinstance(step, bytes):
                            connection.sendall(step)
                        elif _hung_up(connection, step):
                            return
                except OSError:
                    return  # the client has left

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield endpoint
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join(10)


def _request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(65536)
        if not part:
            return got
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _hung_up(connection: socket.socket, seconds: float) -> bool:
    wait = None if seconds == FOREVER else seconds
    readable, _, _ = select.select([connection], [], [], wait)
    return bool(readable)
