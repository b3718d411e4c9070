"""The page's half of the proof of work, in real Chromium under the strict policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from arena.challenge import challenge_verify
from tests.frontend.browser import NO_BROWSER, NO_BROWSER_REASON, chromium, problems_of
from tests.scripted_endpoint import ScriptedEndpoint

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(NO_BROWSER, reason=NO_BROWSER_REASON),
]

DIFFICULTY = 30
# A form as pages have it, whose other listener notes what would be sent.
FORM = """
const form = document.createElement("form");
form.dataset.challengeUrl = "/api/v1/challenge/";
form.innerHTML = `<textarea name="prompt"></textarea><button name="by" value="me">Go</button>
  <p data-challenge-status data-working="Working" data-failed="Failed"></p>`;
window.sent = [];
form.addEventListener("submit", (event) => {
  event.preventDefault();
  window.sent.push(Object.fromEntries(new FormData(form, event.submitter)));
  form.dataset.sent = window.sent.length;
});
document.querySelector("main").append(form);
"""


@pytest.fixture
def page(live_server_url: str, two_models: ScriptedEndpoint, settings: Any) -> Iterator[Page]:
    settings.ARENA_CHALLENGE = DIFFICULTY
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{live_server_url}/about/")
        page.add_script_tag(url="/static/frontend/js/challenge.js", type="module")
        page.evaluate(FORM)
        yield page


def sent(page: Page, count: int) -> list[dict[str, str]]:
    page.locator(f"form[data-sent='{count}']").wait_for()
    found: list[dict[str, str]] = page.evaluate("window.sent")
    return found


def test_a_form_goes_with_a_proof_of_its_own_each_time(
    page: Page, live_server_url: str, settings: Any
) -> None:
    """One test, since starting Chromium takes longer than all of it."""
    go = page.get_by_role("button", name="Go")
    status = page.locator("[data-challenge-status]")

    # Where the proof cannot be had it is told, and tried again.
    page.route("**/challenge/", lambda route: route.fulfill(status=429))
    go.click()
    page.get_by_text("Failed").wait_for()
    assert page.evaluate("window.sent") == []
    page.unroute("**/challenge/")
    problems = problems_of(page)

    go.click()
    sent(page, 1)
    page.locator("main textarea").fill("Why?")
    go.click()
    first, second = sent(page, 2)
    assert (first["by"], second["prompt"]) == ("me", "Why?")
    proofs = {challenge_verify(payload=form["challenge"]).digest for form in (first, second)}
    assert len(proofs) == 2
    assert status.text_content() == ""
    assert problems == []

    # Where no proof is asked for any more the form goes without.
    settings.ARENA_CHALLENGE = 0
    go.click()
    assert sent(page, 3)[2]["challenge"] == ""

    # The real page, whose own script keeps a form from being sent twice.
    settings.ARENA_CHALLENGE = DIFFICULTY
    page.goto(live_server_url)
    page.keyboard.type("Why is the sky blue?")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Start the battle").click()
    page.wait_for_url("**/battles/**")
