"""How long a token takes from the inference service to a WebSocket client, with two web servers.

Every battle is two streams of 30 tokens/s. The promise: the first token within 60 ms (median) after
the inference service sent it.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Sequence

import httpx
import websockets

from benchmarks.product import database, free_port, program
from benchmarks.stamped_endpoint import TOKENS

BATTLES = (1, 10, 40)
PROMISED_MS = 60.0
MODELS = """
[[organizations]]
slug = "clock"
name = "Clock"
""" + "".join(
    f"""
[[models]]
slug = "stamp-{side}"
name = "Stamp {side}"
organization = "clock"
category = "chat"
[[models.endpoints]]
base_url = "http://127.0.0.1:{{port}}/v1"
name = "stamp-{side}"
concurrency = 64
"""
    for side in "ab"
)


async def fight(url: str) -> tuple[list[float], list[float], int]:
    """Milliseconds from sending to receiving, of each side's first token and of all; and how
    many tokens came at all (those of the snapshot, sent before we listened, have no latency)."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        response = await http.post("/api/v1/battles/", json={"prompt": "When?", "consent": True})
        response.raise_for_status()
        battle = response.json()
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    first: dict[str, float] = {}
    every: list[float] = []
    async with websockets.connect(
        f"{url.replace('http', 'ws')}/ws/battles/{battle['id']}/?format=json",
        additional_headers={"Cookie": cookie},
    ) as socket:
        ended = received = 0
        while ended < 2:
            event = json.loads(await socket.recv())
            now = time.monotonic_ns()
            ended += event["type"] in {"answer_done", "answer_failed"}
            if event["type"] == "snapshot":
                received += sum(len(event[side]["text"].split()) for side in "ab")
            if event["type"] != "delta":
                continue
            for side in {"a", "b"} & set(event):
                stamps = [int(stamp) for stamp in event[side]["text"].split()]
                first.setdefault(side, (now - stamps[0]) / 1e6)
                every += [(now - stamp) / 1e6 for stamp in stamps]
    return list(first.values()), every, received + len(every)


async def fight_many(url: str, battles: int) -> tuple[list[float], list[float], int]:
    results = await asyncio.gather(*(fight(url) for _ in range(battles)))
    return (
        [value for first, _, _ in results for value in first],
        [value for _, every, _ in results for value in every],
        sum(received for _, _, received in results),
    )


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    endpoint_port, port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    servers = {
        "uvicorn": (
            "-m", "uvicorn", "config.asgi:application", "--port", str(port),
            "--no-access-log", "--no-proxy-headers", "--log-level", "warning",
        ),
        "daphne": ("-m", "daphne", "-p", str(port), "-v", "0", "config.asgi:application"),
    }  # fmt: skip
    print(
        "server    battles   first token ms: median   p95    all tokens ms: median   p99  delivered"
    )
    kept = True
    with (
        program(
            "-m", "benchmarks.stamped_endpoint", "--port", str(endpoint_port),
            env={}, answers=f"http://127.0.0.1:{endpoint_port}/v1/models",
        ),
        database(MODELS.format(port=endpoint_port)) as env,
    ):  # fmt: skip
        for name, command in servers.items():
            with program(*command, env=env, answers=f"{url}/healthz"):
                asyncio.run(fight_many(url, 1))  # the first request loads what is loaded lazily
                for battles in BATTLES:
                    first, every, received = asyncio.run(fight_many(url, battles))
                    delivered = received / (battles * 2 * TOKENS)
                    median = statistics.median(first)
                    kept = kept and (name != "uvicorn" or median <= PROMISED_MS)
                    print(
                        f"{name:9} {battles:7} {median:24.1f} {percentile(first, 0.95):5.1f}"
                        f" {statistics.median(every):24.1f} {percentile(every, 0.99):5.1f}"
                        f" {delivered:10.1%}",
                        flush=True,
                    )
    print(
        f"promise: median first token at most {PROMISED_MS:.0f} ms: {'kept' if kept else 'BROKEN'}"
    )


if __name__ == "__main__":
    main()
