"""`make screenshots`: the pictures in the docs, of the real product with the demo models.

Starts a copy of its own, fights battles with made-up votes (the longer answer mostly wins), and
takes every page in both themes, on a desktop and on a phone.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page
from tqdm import tqdm

from tests.frontend.browser import chromium

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "screenshots"
VOTES = 40
AT_ONCE = 4
PROMPT = "Explain to a ten-year-old why the sky is blue and sunsets are red."
NEXT_PROMPT = "And why is it black at night?"
PROMPTS = ["Name three rivers.", "What is 17 + 25?", "Tell me a joke.", "Write a haiku about rain."]
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}


@contextmanager
def product() -> Iterator[str]:
    """A running copy with the demo models; yields its address."""
    folder = Path(tempfile.mkdtemp(prefix="preferendum-screenshots-"))
    folder.chmod(0o755)
    ports = []
    for _ in range(2):
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            ports.append(str(chosen.getsockname()[1]))
    ours = {"PORT": ports[0], "INFERENCE_PORT": ports[1], "DATA_DIR": str(folder / "data")}
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "config.supervisor"],
        cwd=ROOT,
        env={**os.environ, **ours, "ARENA_RATE_LIMITS": ""},
    )
    url = f"http://127.0.0.1:{ports[0]}"
    try:
        while not _ready(url):
            if supervisor.poll() is not None:
                sys.exit("the product did not start")
            time.sleep(0.5)
        yield url
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait()
        shutil.rmtree(folder)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def vote(url: str, number: int) -> None:
    """One battle of one made-up voter."""
    with httpx.Client(base_url=url, timeout=120) as http:
        prompt = f"{PROMPTS[number % len(PROMPTS)]} ({number})"
        battle = http.post("/api/v1/battles/", json={"prompt": prompt, "consent": True}).json()
        path = f"/api/v1/battles/{battle['id']}/"
        http.get(f"{path}events/")
        answers = http.get(path).json()["turns"][0]["answers"]
        longer = max(answers, key=lambda side: len(answers[side]["text"]))
        choice = random.choices([longer, "tie", "both_bad"], weights=[7, 2, 1])[0]
        ballot = battle["turns"][0]["ballot"]
        http.post(f"{path}vote/", json={"turn": 0, "choice": choice, "ballot": ballot})


def votes_rated(url: str) -> int:
    snapshot = httpx.get(f"{url}/api/v1/leaderboard/").json()["snapshot"]
    return snapshot["funnel"]["raw"] if snapshot else 0


def pictures(browser: Browser, url: str) -> None:
    """Every page, in both themes and sizes."""
    for theme in ("light", "dark"):
        for size, (width, height) in SIZES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,
                reduced_motion="reduce",
            )
            page = context.new_page()

            def picture(name: str, page: Page = page, suffix: str = f"{size}-{theme}") -> None:
                # A whole battle page would show its sticky ballot in the middle of the text.
                whole = name not in {"battle", "conversation"}
                page.screenshot(path=FOLDER / f"{name}-{suffix}.png", full_page=whole)

            page.goto(url)
            picture("home")
            page.get_by_label("Your prompt").fill(PROMPT)
            page.get_by_role("checkbox").check()
            page.get_by_role("button", name="Start the battle").click()
            page.get_by_role("button", name="Tie").wait_for(timeout=120_000)
            picture("battle")
            page.get_by_role("button", name="Tie").click()
            page.get_by_role("link", name="New battle").wait_for()
            picture("reveal")
            page.get_by_label("Your next prompt").fill(NEXT_PROMPT)
            page.get_by_role("button", name="Send", exact=True).click()
            page.locator("#turn-1").wait_for()
            page.get_by_role("button", name="Tie").wait_for(timeout=120_000)
            picture("conversation")
            page.goto(f"{url}/chat/")
            page.get_by_label("Model", exact=True).select_option(index=1)
            page.get_by_label("Your prompt").fill(PROMPT)
            page.get_by_role("button", name="Start the chat").click()
            page.get_by_label("Your next prompt").wait_for(timeout=120_000)
            picture("chat")
            for name in ("side-by-side", "leaderboard", "models", "about"):
                page.goto(f"{url}/{name}/")
                picture(name)
            page.goto(f"{url}/models/smollm2-135m/")
            picture("model")
            context.close()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with product() as url:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(
                tqdm(threads.map(lambda n: vote(url, n), range(VOTES)), total=VOTES, unit=" votes")
            )
        while votes_rated(url) < VOTES:
            time.sleep(0.5)
        with chromium() as browser:
            pictures(browser, url)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
