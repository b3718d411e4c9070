"""Several turns, named models and what may follow a vote, in real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from arena.models import VoteReason
from tests.frontend.browser import (
    NO_BROWSER,
    NO_BROWSER_REASON,
    axe_violations,
    chromium,
    problems_of,
)
from tests.frontend.test_pages_browser import RICH, regions, start
from tests.scripted_endpoint import Gate, ScriptedEndpoint

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(NO_BROWSER, reason=NO_BROWSER_REASON),
]
NOTICE = "This assistant named itself: this vote will not count. You may go on."
LEAK = "I am Alpha Seven, made by Acme Intelligence. "


@pytest.fixture
def browser(live_server_url: str, two_models: ScriptedEndpoint) -> Iterator[Browser]:
    """After the fixtures that use the database: Playwright's event loop keeps Django out of it."""
    for slug, label, tone in (("clear", "Clear", "good"), ("too-long", "Too long", "bad")):
        VoteReason.objects.get_or_create(slug=slug, defaults={"label": label, "tone": tone})
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


def test_a_second_turn_by_keyboard_comes_to_every_open_page(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    problems = problems_of(page)
    start(page, live_server_url)
    expect(page.locator("#ballot")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#ballot")).to_be_visible()
    gate = Gate()
    two_models.scripts["alpha-7b"] = [LEAK, gate, RICH]

    page.get_by_label("Your next prompt").focus()
    page.keyboard.type("And why")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("at night?")
    page.keyboard.press("Enter")

    page.wait_for_url("**/#turn-1")
    for shown in (page, other):
        expect(shown.locator("#turn-1 .stream", has_text="Alpha Seven")).to_be_visible()
        expect(shown.locator(".leak[role=status]", has_text=NOTICE)).to_have_count(1)
        expect(shown.locator("#ballot")).to_have_count(0)
        assert shown.locator(".asked-text").nth(1).inner_text() == "And why\nat night?"
    gate.open()
    for shown in (page, other):
        expect(shown.locator("#ballot")).to_be_visible()
    followed = [regions(page), regions(other)]
    page.reload()
    assert followed == [regions(page)] * 2

    other.get_by_role("button", name="Tie").click()
    expect(other.locator("#reveal-title")).to_be_focused()
    expect(page.locator("#reveal-title")).to_have_text("You called it a tie.")
    expect(page.locator("#turn-0 .model-name")).to_have_count(2)
    assert regions(page) == regions(other)
    assert problems == []


def test_reasons_report_and_withdrawal_by_keyboard_in_place(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    problems = problems_of(page)
    start(page, live_server_url)
    expect(page.locator("#ballot")).to_be_visible()
    url = page.url

    page.get_by_text("Report the answer of Assistant B").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_text("Please choose a reason.")).to_be_focused()
    page.get_by_label("It is harmful or hateful").locator("visible=true").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Send the report").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("A moderator will read this answer.")).to_be_focused()

    page.get_by_role("button", name="A is better").click()
    expect(page.locator("#reveal-title")).to_be_focused()
    page.get_by_label("Clear").focus()
    page.keyboard.press("Space")
    page.get_by_label("Anything else").fill("Short and good.")
    page.route("**/feedback/", lambda route: route.abort())
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text(
        "That did not reach the server. Please try again."
    )
    page.unroute("**/feedback/")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved with your vote.")).to_be_focused()
    expect(page.get_by_label("Anything else")).to_have_value("Short and good.")
    page.reload()
    expect(page.get_by_label("Clear")).to_be_checked()

    page.get_by_text("Withdraw my vote").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Withdraw it for good").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("This vote was withdrawn")).to_be_visible()
    expect(page.locator("#reveal-title")).to_be_focused()
    expect(page.get_by_label("Clear")).to_have_count(0)
    assert page.url == url
    refused_by_us = ("Failed to load resource", "htmx:")
    assert [problem for problem in problems if not problem.startswith(refused_by_us)] == []


def test_named_models_and_a_second_turn_without_javascript(
    live_server_url: str, two_models: ScriptedEndpoint, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server_url)
    page.get_by_role("link", name="Side by side").click()
    page.get_by_label("Assistant A").select_option("Beta Nine")
    page.get_by_label("Assistant B").select_option("Alpha Seven")
    page.get_by_label("Your prompt").fill("Why?")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Ask both").click()
    expect(page.locator("#ballot")).to_be_visible(timeout=15_000)  # the page refreshes itself

    page.get_by_label("Your next prompt").fill("And then?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#turn-1")).to_be_visible()
    expect(page.locator("#ballot")).to_be_visible(timeout=15_000)
    page.locator("#turn-1 summary").first.click()
    page.get_by_label("Something else").locator("visible=true").check()
    page.get_by_role("button", name="Send the report").locator("visible=true").click()
    expect(page.get_by_text("A moderator will read this answer.")).to_be_visible()
    page.get_by_role("button", name="Both are bad").click()
    page.get_by_label("Too long").check()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Saved with your vote.")).to_be_visible()
    expect(page.get_by_label("Too long")).to_be_checked()
    context.close()


def test_axe_finds_nothing_in_either_theme_and_nothing_overflows(
    live_server_url: str, two_models: ScriptedEndpoint, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    page = context.new_page()
    found: dict[str, object] = {}

    def look(state: str) -> None:
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            if violations := axe_violations(page):
                found[f"{state}, {theme}"] = violations
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[f"{state} at 320 px"] = "overflows"

    page.goto(f"{live_server_url}/side-by-side/")
    look("side by side")
    page.goto(f"{live_server_url}/chat/")
    page.get_by_label("Model", exact=True).select_option("Alpha Seven")
    page.get_by_label("Your prompt").fill("Why?")
    page.get_by_role("checkbox").check()
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Start the chat").click()
    expect(page.get_by_label("Your next prompt")).to_be_visible()
    look("chat")
    two_models.scripts["alpha-7b"] = [LEAK + RICH]
    page.goto(live_server_url)
    page.get_by_label("Your prompt").fill("Who are you?")
    page.keyboard.press("Enter")
    expect(page.locator("#ballot")).to_be_visible()
    expect(page.locator(".leak", has_text=NOTICE)).to_be_visible()
    for summary in page.locator(".report summary").all():
        summary.click()
    look("leak and reports")
    page.get_by_label("Your next prompt").fill("x" * 8_001)
    page.keyboard.press("Enter")
    expect(page.locator("#prompt-error")).to_be_visible()
    expect(page.get_by_label("Your next prompt")).to_have_value("x" * 8_001)
    page.get_by_label("Your next prompt").fill("And then?")
    page.keyboard.press("Enter")
    expect(page.locator("#turn-1")).to_be_visible()
    expect(page.locator("#ballot")).to_be_visible()
    page.get_by_role("button", name="A is better").click()
    page.get_by_text("Withdraw my vote").click()
    page.get_by_label("Clear").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".saved")).to_be_visible()
    look("voted, second turn")

    assert found == {}
    context.close()
