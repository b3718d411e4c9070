"""The whole product as `make run` starts it, with two tiny real models, and its parts killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.inference.tiny_model import write_model_file, write_tiny_llama

pytestmark = pytest.mark.weights

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 120


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Poll until `condition` holds; a server that is away for a moment is no failure."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        try:
            if value := condition():
                return value
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"never happened: {what}")


@dataclass
class Product:
    url: str
    data_dir: Path
    supervisor: subprocess.Popen[bytes]

    def program(self, mark: str) -> psutil.Process | None:
        """The running child whose command line holds `mark`."""
        for process in psutil.Process(self.supervisor.pid).children(recursive=True):
            try:
                if mark in " ".join(process.cmdline()):
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def kill(self, mark: str) -> None:
        """End a child as an out-of-memory killer would, and see it started again."""
        process = self.program(mark)
        assert process is not None
        process.kill()
        wait_until(
            lambda: (now := self.program(mark)) is not None and now.pid != process.pid,
            f"{mark} is started again",
        )

    def ready(self) -> bool:
        return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200

    def manage(self, *arguments: str) -> str:
        """A lone command beside the running copy."""
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={
                **environment,
                "DATA_DIR": str(self.data_dir),
                "DJANGO_SETTINGS_MODULE": "config.settings",
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    folder = Path(tempfile.mkdtemp(prefix="preferendum-product-"))
    folder.chmod(0o755)
    models = {
        slug: write_tiny_llama(folder / slug, seed=n) for n, slug in enumerate(("one", "two"))
    }
    file = write_model_file(folder / "models.toml", models, max_tokens=24)
    ports = []
    for _ in range(2):
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            ports.append(chosen.getsockname()[1])
    ours = {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
    log = folder / "log"
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "config.supervisor"],
            cwd=ROOT,
            env={
                **{name: value for name, value in os.environ.items() if name not in ours},
                "DATA_DIR": str(folder / "data"),
                "PORT": str(ports[0]),
                "INFERENCE_PORT": str(ports[1]),
                "MODELS_FILE": str(file),
                "MODEL_CACHE": str(folder / "cache"),
                "ARENA_ORPHAN_SECONDS": "60",
            },
            stdout=output,
            stderr=output,
        )
    product = Product(f"http://127.0.0.1:{ports[0]}", folder / "data", supervisor)
    try:
        wait_until(lambda: supervisor.poll() is not None or product.ready(), "the product is ready")
        assert supervisor.poll() is None, log.read_text()
        yield product
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait()
        shutil.rmtree(folder)


@pytest.fixture
def http(product) -> Iterator[httpx.Client]:
    wait_until(product.ready, "the product is ready")
    with httpx.Client(base_url=product.url, timeout=30) as client:
        yield client


def start(http: httpx.Client, prompt: str) -> dict[str, Any]:
    response = http.post("/api/v1/battles/", json={"prompt": prompt, "consent": True})
    assert response.status_code == 201, response.text
    battle: dict[str, Any] = response.json()
    return battle


def look(http: httpx.Client, battle: dict[str, Any]) -> dict[str, Any]:
    now: dict[str, Any] = http.get(f"/api/v1/battles/{battle['id']}/").json()
    return now


def ended(http: httpx.Client, battle: dict[str, Any]) -> dict[str, Any]:
    wait_until(lambda: look(http, battle)["state"] != "generating", "both answers end")
    return look(http, battle)


def cast(http: httpx.Client, battle: dict[str, Any], choice: str) -> httpx.Response:
    body = {"turn": 0, "choice": choice, "ballot": battle["turns"][0]["ballot"]}
    return http.post(f"/api/v1/battles/{battle['id']}/vote/", json=body)


def funnel(http: httpx.Client) -> dict[str, int]:
    snapshot = http.get("/api/v1/leaderboard/").json()["snapshot"]
    return snapshot["funnel"] if snapshot else {"raw": 0}


@pytest.fixture
def endless(product) -> Iterator[None]:
    """Both models go on for thousands of tokens, so that there is a middle to be killed in."""
    file = product.data_dir.parent / "models.toml"
    short = file.read_text()
    file.write_text(short.replace("max_tokens = 24", "max_tokens = 4000"))
    product.manage("load_models", str(file))
    yield
    file.write_text(short)
    product.manage("load_models", str(file))


def generating(http: httpx.Client, prompt: str) -> dict[str, Any]:
    """A battle in the middle of both answers."""
    battle = start(http, prompt)
    wait_until(
        lambda: all(a["text"] for a in look(http, battle)["turns"][0]["answers"].values()),
        "both sides have begun",
    )
    return battle


def test_votes_become_ratings_and_a_release(product, http, tmp_path):
    before = funnel(http)["raw"]
    for number, choice in enumerate(["a", "b", "tie", "both_bad"]):
        battle = ended(http, start(http, f"Question {number}?"))
        assert battle["state"] == "votable"
        assert cast(http, battle, choice).status_code == 200

    wait_until(lambda: funnel(http)["raw"] == before + 4, "the votes are in the ratings")
    counts = funnel(http)
    assert sum(counts.values()) - counts["raw"] == counts["raw"]
    assert "4 entries verify" in product.manage("verify_ledger") or before
    product.manage("export_votes", "--format", "33k", "--out", str(tmp_path / "release"))
    rows = (tmp_path / "release" / "votes.33k.jsonl").read_text().splitlines()
    assert len(rows) == counts["counted"]
    assert {json.loads(row)["model_a"] for row in rows} <= {"one", "two"}


def test_a_killed_inference_service_breaks_one_battle_and_comes_back(product, http, endless):
    battle = generating(http, "What will be cut off?")

    product.kill("inference.server")

    broken = ended(http, battle)
    assert broken["state"] == "failed"
    for answer in broken["turns"][0]["answers"].values():
        assert (answer["state"], answer["error"]["code"]) == ("failed", "model_unavailable")
        assert answer["text"], "what was said is kept"
    assert cast(http, broken, "a").status_code == 409
    wait_until(product.ready, "the service is back")
    assert http.post(f"/api/v1/battles/{battle['id']}/regenerate/").status_code == 200
    assert http.post(f"/api/v1/battles/{battle['id']}/stop/").status_code == 200
    assert ended(http, battle)["state"] in {"votable", "failed"}


def test_a_killed_web_process_loses_no_vote_and_interrupts_what_it_was_saying(
    product, http, endless
):
    battle = generating(http, "Who is talking?")
    http.post(f"/api/v1/battles/{battle['id']}/stop/")
    assert cast(http, ended(http, battle), "b").status_code == 200
    cut = generating(http, "Who is interrupted?")
    wait_until(lambda: len(look(http, cut)["turns"][0]["answers"]["a"]["text"]) > 100, "some text")

    product.kill("uvicorn")

    wait_until(product.ready, "the web server is back")
    voted = look(http, battle)
    assert (voted["state"], voted["turns"][0]["vote"]["choice"]) == ("voted", "b")
    broken = ended(http, cut)
    codes = {answer["error"]["code"] for answer in broken["turns"][0]["answers"].values()}
    assert codes == {"interrupted"}
    assert cast(http, broken, "a").status_code == 409
    product.manage("verify_ledger")


def test_logs_hold_no_prompt_no_answer_and_no_address(product, http):
    battle = ended(http, start(http, "Is this zebrafinch written down anywhere?"))
    text = battle["turns"][0]["answers"]["a"]["text"]

    logs = [product.data_dir.parent / "log", *product.data_dir.glob("*.log")]

    for log in logs:
        written = log.read_text(errors="replace")
        assert "zebrafinch" not in written
        assert text[:30] not in written
        assert not re.search(r"127\.0\.0\.1:\d+ - ", written)
