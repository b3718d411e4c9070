"""Debian's Chromium for tests, and axe in it. Pages get no network but the loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path(os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium")
# Where it is missing the browser tests are skipped, except in CI, where that is a failure.
NO_BROWSER = not CHROMIUM.exists() and "PREFERENDUM_REQUIRE_BROWSER" not in os.environ
NO_BROWSER_REASON = f"no Chromium at {CHROMIUM}: apt-get install chromium, or set CHROMIUM"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def problems_of(page: Page) -> list[str]:
    """Collects from now on what the browser complains of: errors, refused scripts and styles."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    return problems


def axe_violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds on the page as it is, in short."""
    found = Axe().run(page).response["violations"]
    return [
        {"rule": rule["id"], "nodes": [node["html"][:120] for node in rule["nodes"]]}
        for rule in found
    ]
