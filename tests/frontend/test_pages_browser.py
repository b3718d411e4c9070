"""Pages in real Chromium: htmx under the strict policy, keyboard, reconnecting, axe, 320 px."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.frontend.browser import (
    NO_BROWSER,
    NO_BROWSER_REASON,
    axe_violations,
    chromium,
    problems_of,
)
from tests.scripted_endpoint import Fault, Gate, ScriptedEndpoint

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(NO_BROWSER, reason=NO_BROWSER_REASON),
]

RICH = """# Title

Some **bold** words and `code`.

| a | b |
|---|--:|
| 1 | 2 |

```python
def answer() -> int:
    return 42  # the usual one
```

> A quotation with a [link](https://example.org).
"""
HOSTILE = """<script>document.title = "owned"</script>
<img src="/never-asked" onerror="document.title='owned'">
![pixel](/never-asked)
[click me](javascript:document.title='owned')
<style>body { display: none }</style>
</div></section><form action="/never-asked"><button>A is better</button></form>
\u202eright to left\u202c
"""


@pytest.fixture
def browser(live_server_url: str, two_models: ScriptedEndpoint) -> Iterator[Browser]:
    """After the fixtures that use the database: Playwright's event loop keeps Django out of it."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    yield context.new_page()
    context.close()


def start(page: Page, url: str, prompt: str = "Why is the sky blue?") -> None:
    """From the first page to the battle, by keyboard alone."""
    page.goto(url)
    page.keyboard.type(prompt)
    page.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Start the battle").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/battles/**")


def regions(page: Page) -> dict[str, str]:
    """What every part that a frame may change holds."""
    parts = page.locator(
        "[id^=answer-], [id^=status-], [id^=identity-], [id^=leak-], [id^=note-], "
        "#verdict, #feedback, #withdraw, #go-on, #follow-up, #announcement"
    )
    found: dict[str, str] = parts.evaluate_all(
        "parts => Object.fromEntries(parts.map(part => [part.id, part.innerHTML.trim()]))"
    )
    return found


def test_from_prompt_to_names_by_keyboard_under_the_strict_policy(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = [RICH[:40], gate, RICH[40:]]
    problems = problems_of(page)
    start(page, live_server_url)

    expect(page.locator(".stream", has_text="**bold**")).to_be_visible()
    expect(page.locator("#ballot")).to_have_count(0)
    gate.open()
    expect(page.locator("#answer-0-a strong, #answer-0-b strong")).to_have_text("bold")
    page.get_by_role("button", name="Tie").focus()
    page.keyboard.press("1")

    expect(page.locator("#reveal-title")).to_be_focused()
    expect(page.locator("#reveal-title")).to_have_text(re.compile("You preferred (Alpha|Beta)"))
    assert problems == []


def test_the_page_that_followed_the_stream_equals_the_one_loaded_afresh(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = [RICH, gate]
    start(page, live_server_url)
    expect(page.locator(".stream", has_text="the usual one")).to_be_visible()
    gate.open()
    expect(page.locator("#ballot")).to_be_visible()

    followed = regions(page)
    page.reload()
    afresh = regions(page)
    page.get_by_role("button", name="Both are bad").click()
    expect(page.locator("#reveal-title")).to_be_visible()
    revealed = regions(page)
    page.reload()

    assert followed == afresh
    assert regions(page) == revealed


def test_keys_vote_only_while_the_focus_is_in_the_ballot(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    start(page, live_server_url)
    expect(page.locator("#ballot")).to_be_visible()

    page.locator("#main").focus()
    page.keyboard.press("1")
    page.get_by_role("button", name="A is better").focus()
    page.keyboard.press("ArrowRight")

    expect(page.get_by_role("button", name="B is better")).to_be_focused()
    page.keyboard.press("4")
    expect(page.locator("#reveal-title")).to_have_text("You found both answers bad.")


def test_a_second_tab_and_the_back_button_show_the_names_too(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    start(page, live_server_url)
    expect(page.locator("#ballot")).to_be_visible()
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.locator("#ballot")).to_be_visible()

    page.get_by_role("button", name="Tie").click()

    expect(second.locator("#reveal-title")).to_have_text("You called it a tie.")
    page.get_by_role("link", name="New battle").click()
    page.wait_for_url(f"{live_server_url}/")
    page.go_back()
    expect(page.locator("#reveal-title")).to_have_text("You called it a tie.")


def test_the_whole_way_without_javascript(
    live_server_url: str, two_models: ScriptedEndpoint, browser: Browser
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Slowly ", gate, "done."]
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server_url)
    page.get_by_role("button", name="Explain to a ten-year-old").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Start the battle").click()
    page.wait_for_url("**/battles/**")

    gate.open()
    expect(page.locator("#ballot")).to_be_visible(timeout=15_000)  # the page refreshes itself
    page.get_by_role("button", name="A is better").click()

    expect(page.locator("#reveal-title")).to_be_visible()
    context.close()


@pytest.mark.parametrize("code", [1012, 4000])
def test_a_lost_connection_is_said_and_mended(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page, code: int
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["before ", gate, "after"]
    sockets: list[WebSocketRoute] = []
    admitted = [True]

    def route(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        if admitted[0]:
            socket.connect_to_server()
        else:
            socket.close(code=1013)

    page.route_web_socket("**/ws/battles/**", route)
    start(page, live_server_url)
    expect(page.locator(".stream", has_text="before")).to_be_visible()

    admitted[0] = False
    sockets[0].close(code=code)
    expect(page.locator("#connection")).to_have_text("Connection lost, reconnecting…")
    gate.open()
    admitted[0] = True

    expect(page.locator("#connection")).to_have_text("", timeout=15_000)
    expect(page.locator("#ballot")).to_be_visible()
    expect(page.locator(".answer", has_text="before after")).to_be_visible()


def test_a_reconnect_that_changes_nothing_moves_no_focus(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    sockets: list[WebSocketRoute] = []
    answered: list[str | bytes] = []

    def route(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if len(sockets) == 2:
                answered.append(message)
            socket.send(message)

        server.on_message(pass_on)

    page.route_web_socket("**/ws/battles/**", route)
    start(page, live_server_url)
    expect(page.locator("#ballot")).to_be_visible()
    page.get_by_role("button", name="Tie").focus()

    sockets[0].close(code=1012)
    expect(page.locator("#connection")).to_have_text(re.compile("lost"))
    expect(page.locator("#connection")).to_have_text("", timeout=15_000)
    for _ in range(1_000):
        if any('id="verdict"' in str(message) for message in answered):
            break
        page.wait_for_timeout(10)
    else:
        raise AssertionError("the second socket brought no snapshot")

    expect(page.get_by_role("button", name="Tie")).to_be_focused()


def test_a_vote_that_does_not_arrive_is_said(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    start(page, live_server_url)
    expect(page.locator("#ballot")).to_be_visible()

    page.route("**/vote/", lambda route: route.abort())
    page.get_by_role("button", name="Tie").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("did not reach the server"))
    page.unroute("**/vote/")
    page.get_by_role("button", name="Tie").click()

    expect(page.locator("#reveal-title")).to_be_visible()


def test_a_broken_answer_is_retried_with_the_same_pair(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    two_models.scripts["beta-9b"] = ["I begin", Fault.ERROR_EVENT]
    start(page, live_server_url)
    expect(page.locator(".note")).to_have_text("This assistant's server did not take this prompt.")
    expect(page.locator("#ballot")).to_have_count(0)

    two_models.scripts["beta-9b"] = ["Now it works."]
    page.get_by_role("button", name="Retry with the same pair").click()

    expect(page.locator("#ballot")).to_be_visible()
    expect(page.locator(".answer", has_text="Now it works.")).to_be_visible()


def test_stop_ends_both_answers_in_place(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["first words ", gate]
    start(page, live_server_url)
    expect(page.locator(".stream", has_text="first words")).to_be_visible()

    page.get_by_role("button", name="Stop").click()

    expect(page.locator("#ballot")).to_be_visible()
    expect(page.locator(".status", has_text="stopped, 2 words")).to_be_visible()


def test_hostile_answers_do_nothing(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = [HOSTILE, gate, HOSTILE * 10]
    two_models.scripts["beta-9b"] = ["x" * 100_000]
    problems, asked = problems_of(page), []
    page.on("request", lambda request: asked.append(request.url))
    start(page, live_server_url)
    expect(page.locator(".stream", has_text="<script>")).to_be_visible()
    gate.open()
    expect(page.locator("#ballot")).to_be_visible()
    page.get_by_text("click me").first.click()

    assert page.title() == "Battle · Preferendum"
    assert not any("never-asked" in url for url in asked)
    assert page.locator(".answer form, .answer img, .answer script, .answer style").count() == 0
    assert page.get_by_role("button", name="A is better").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert problems == []


def test_enter_sends_and_shift_enter_does_not(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    page.goto(live_server_url)
    page.get_by_role("checkbox").check()
    page.get_by_label("Your prompt").focus()

    page.keyboard.type("first line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")

    page.wait_for_url("**/battles/**")
    assert page.locator(".asked-text").inner_text() == "first line\nsecond line"


def test_examples_fill_the_form_in_place_and_the_counter_warns(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    page.goto(live_server_url)

    page.get_by_role("button", name="What are good arguments").click()
    expect(page.get_by_label("Your prompt")).to_have_value(re.compile("daylight saving"))
    page.get_by_label("Your prompt").fill("\U0001f600" * 7_990)
    expect(page.locator("#prompt-count")).to_have_text("10 left")
    page.get_by_label("Your prompt").fill("x" * 8_001)

    expect(page.locator("#prompt-count")).to_have_text("1 over the limit")
    assert page.url == f"{live_server_url}/"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_overflows(
    live_server_url: str, two_models: ScriptedEndpoint, browser: Browser, theme: str
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = [RICH[:30], gate, RICH[30:]]
    context = browser.new_context(
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": 320, "height": 640},
        reduced_motion="reduce",
    )
    page = context.new_page()
    found: dict[str, object] = {}

    def look(state: str) -> None:
        if violations := axe_violations(page):
            found[state] = violations
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[f"{state} at 320 px"] = "overflows"

    for path in ("/", "/leaderboard/", "/models/", "/models/alpha-7b/", "/about/", "/nowhere/"):
        page.goto(f"{live_server_url}{path}")
        look(path)
    start(page, live_server_url)
    expect(page.locator(".stream", has_text="Title")).to_be_visible()
    look("streaming")
    gate.open()
    expect(page.locator("#ballot")).to_be_visible()
    look("votable")
    page.get_by_role("button", name="A is better").click()
    expect(page.locator("#reveal-title")).to_be_visible()
    look("voted")
    two_models.scripts["alpha-7b"] = ["I begin", Fault.CUT]
    page.goto(live_server_url)
    look("prompt, with consent known")
    page.get_by_label("Your prompt").fill("Again?")
    page.keyboard.press("Enter")
    expect(page.locator(".broken")).to_be_visible()
    look("failed")
    page.goto(live_server_url)
    page.get_by_label("Your prompt").fill("x" * 8_001)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    look("prompt refused")

    assert found == {}
    context.close()


def test_vote_buttons_are_large_and_equal(
    live_server_url: str, two_models: ScriptedEndpoint, page: Page
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    start(page, live_server_url)
    expect(page.locator("#ballot")).to_be_visible()

    boxes = [button.bounding_box() for button in page.locator("#ballot button").all()]

    assert len(boxes) == 4
    assert all(box and box["height"] >= 44 for box in boxes)
    assert len({box["width"] for box in boxes if box}) == 1
