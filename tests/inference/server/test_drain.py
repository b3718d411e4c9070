"""SIGTERM: what is under way may finish, new requests are sent away, the process ends with 0."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.inference.server.running_service import USER, events, wait_until
from tests.inference.tiny_model import inference_server_process, write_model_file

pytestmark = pytest.mark.weights

LONG: dict[str, Any] = {"model": "one", "messages": USER, "stream": True, "max_tokens": 8000}


@contextmanager
def process(
    tiny_folders: dict[str, Path], folder: Path, *arguments: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    model_file = write_model_file(folder / "models.toml", {"one": tiny_folders["one"]})
    with inference_server_process(model_file, *arguments, cache=folder) as running:
        yield running


def is_draining(url: str) -> bool:
    return httpx.get(f"{url}/ready").status_code == 503


def test_a_stream_finishes_while_new_requests_are_refused(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    with process(tiny_folders, tmp_path, "--drain-seconds", "60") as (service, url):
        address = f"{url}/v1/chat/completions"
        with httpx.stream("POST", address, json=LONG | {"max_tokens": 1500}, timeout=60) as stream:
            lines = stream.iter_lines()
            next(lines)
            service.send_signal(signal.SIGTERM)
            wait_until(lambda: is_draining(url))
            refused = httpx.post(address, json=LONG)
            loading = httpx.post(f"{url}/admin/models", json={"id": "one"})
            health = httpx.get(f"{url}/health")
            rest = events(lines)

        assert refused.status_code == loading.status_code == 503
        assert refused.json()["error"]["code"] == "shutting_down"
        assert int(refused.headers["retry-after"]) >= 1
        assert health.status_code == 200
        assert rest[-1] == "[DONE]"
        assert json.loads(rest[-2])["choices"][0]["finish_reason"] == "length"
        assert service.wait(15) == 0


@pytest.mark.parametrize("stream", [True, False])
def test_what_lasts_longer_is_broken_off_with_an_error(
    tiny_folders: dict[str, Path], tmp_path: Path, stream: bool
) -> None:
    with process(tiny_folders, tmp_path, "--drain-seconds", "0.5") as (service, url):
        address = f"{url}/v1/chat/completions"
        body = LONG | {"stream": stream}
        with httpx.Client(timeout=60) as client:
            if stream:
                with client.stream("POST", address, json=body) as answer:
                    lines = answer.iter_lines()
                    next(lines)
                    service.send_signal(signal.SIGTERM)
                    error = json.loads(events(lines)[-1])["error"]
            else:
                signal_when_running(service, url)
                answer = client.post(address, json=body)
                assert answer.status_code == 503
                error = answer.json()["error"]

        assert error["code"] == "shutting_down"
        assert service.wait(15) == 0


def signal_when_running(service: subprocess.Popen[bytes], url: str) -> None:
    """From a thread, as the caller is about to wait for an answer."""

    def watch() -> None:
        wait_until(lambda: 'requests_running{model="one"} 1.0' in httpx.get(f"{url}/metrics").text)
        service.send_signal(signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def test_a_second_signal_does_not_wait(tiny_folders: dict[str, Path], tmp_path: Path) -> None:
    with process(tiny_folders, tmp_path, "--drain-seconds", "600") as (service, url):
        address = f"{url}/v1/chat/completions"
        with httpx.stream("POST", address, json=LONG, timeout=60) as answer:
            lines = answer.iter_lines()
            next(lines)
            service.send_signal(signal.SIGTERM)
            wait_until(lambda: is_draining(url))
            service.send_signal(signal.SIGINT)
            rest = events(lines)

        assert json.loads(rest[-1])["error"]["code"] == "shutting_down"
        assert service.wait(15) == 0


def test_a_reader_who_does_not_read_does_not_keep_the_process(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    with process(tiny_folders, tmp_path, "--drain-seconds", "0.5") as (service, url):
        address = f"{url}/v1/chat/completions"
        body = LONG | {"logprobs": True, "top_logprobs": 20}
        with httpx.stream("POST", address, json=body, timeout=60) as answer:
            next(answer.iter_raw(16))
            service.send_signal(signal.SIGTERM)
            assert service.wait(15) == 0


def test_an_idle_service_ends_at_once(tiny_folders: dict[str, Path], tmp_path: Path) -> None:
    with (
        process(tiny_folders, tmp_path, "--drain-seconds", "600") as (service, url),
        httpx.Client() as kept_alive,
    ):
        kept_alive.get(f"{url}/health")
        service.send_signal(signal.SIGTERM)

        assert service.wait(15) == 0


@pytest.mark.parametrize("early", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_it_listens_ends_it_without_a_traceback(
    early: signal.Signals, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    model_file = write_model_file(tmp_path / "models.toml", {"one": tiny_folders["one"]})
    command = [sys.executable, "-m", "inference.server", "--models", str(model_file)]
    command += ["--port", "0", "--model-cache", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as service:
        assert service.stderr is not None
        assert "computing on" in service.stderr.readline()
        service.send_signal(early)
        _, said = service.communicate(timeout=15)

    assert service.returncode == 0
    assert "Traceback" not in said
