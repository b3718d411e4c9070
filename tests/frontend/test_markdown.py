"""What hostile and ordinary answers become."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontend.markdown import MAX_BYTES, answer_html

HARMLESS_TAGS = {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "span", "div", "blockquote", "ul", "ol",
    "li", "a", "table", "thead", "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6", "figure",
    "figcaption",
}  # fmt: skip
HARMLESS_ATTRIBUTES = {"href", "title", "start", "tabindex", "class", "rel"}

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<style>body{display:none}</style>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action=//evil.example><button>vote</button></form>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](java\tscript:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "[click](vbscript:x)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    '![x](data:image/svg+xml,<svg onload="alert(1)">)',
    '[a](https://e.example "onmouseover=alert(1) \\"x=")',
    "[x]: javascript:alert(1)\n\n[x]",
    '```"><script>alert(1)</script>\ncode\n```',
    "```python onload=alert(1)\nprint()\n```",
    '```html\n<script>alert("x")</script>\n```',
    "|a|b|\n|-|-|\n|<img src=x onerror=alert(1)>|[x](javascript:1)|",
    "# <b onclick=alert(1)>title</b>",
    "\u202e\u2066<script>\u2069",
    "</div></section><h1 id=verdict>fake</h1>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<a href='https://a.example' style='position:fixed'>x</a>",
    "<<script>script>alert(1)<</script>/script>",
    "`<script>`<script>",
    "\x00<script>",
]


class _Inspector(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def elements_of(html: str) -> list[tuple[str, dict[str, str]]]:
    inspector = _Inspector()
    inspector.feed(html)
    inspector.close()
    return inspector.found


def assert_harmless(html: str) -> None:
    for tag, attributes in elements_of(html):
        assert tag in HARMLESS_TAGS
        assert set(attributes) <= HARMLESS_ATTRIBUTES
        if "href" in attributes:
            assert re.match(r"(https?:|mailto:|[^:]*$)", attributes["href"], re.IGNORECASE)
            assert attributes["rel"] == "nofollow noopener noreferrer"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_harmless(text: str) -> None:
    assert_harmless(answer_html(text))
    assert_harmless(answer_html(f"> - {text}\n\n{text}"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*HOSTILE, *"<>\"'&`*_[]()!|#\n\\ ", "a", "```", "javascript:"])))
def test_any_mixture_of_hostile_text_becomes_harmless(parts: list[str]) -> None:
    assert_harmless(answer_html("".join(parts)))


def test_markdown_is_rendered() -> None:
    html = answer_html("**b** *i* ~~s~~ `c`\n\n1. one\n\n> q\n\n|a|b|\n|-|-:|\n|1|2|\n")

    for piece in ("<strong>b</strong>", "<em>i</em>", "<s>s</s>", "<code>c</code>", "<ol>"):
        assert piece in html
    assert '<td class="right">2</td>' in html


def test_code_is_coloured_by_classes_and_keeps_its_text() -> None:
    html = answer_html("```python\ndef f(): return '<b>'\n```")

    assert '<span class="hl-k">def</span>' in html
    assert "<figcaption>python</figcaption>" in html
    assert "style=" not in html
    assert "&lt;b&gt;" in html


def test_code_of_an_unknown_language_is_plain() -> None:
    html = answer_html("```klingon\nqapla' <&>\n```")

    assert "qapla' &lt;&amp;&gt;" in html.replace("&#x27;", "'")
    assert "figcaption" not in html


def test_images_are_links_so_that_nothing_is_loaded() -> None:
    html = answer_html("![a *cat*](https://img.example/cat.png)")

    assert "<img" not in html
    assert 'href="https://img.example/cat.png"' in html
    assert ">a cat</a>" in html


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("#### a\n## b\n### c", ["h3", "h3", "h4"]),
        ("# a\n## b\n###### c\n# d", ["h3", "h4", "h5", "h3"]),
        ("# a\n## b\n### c\n#### d\n##### e\n###### f", ["h3", "h4", "h5", "h6", "h6", "h6"]),
    ],
)
def test_headings_leave_no_gap_under_the_title_of_the_pane(text: str, levels: list[str]) -> None:
    assert [tag for tag, _ in elements_of(answer_html(text)) if tag[0] == "h"] == levels


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_BYTES + 1),
        "é" * (MAX_BYTES // 2 + 1),
        "*a" * 500_000,
        "[" * 100_000,
        ">" * 10_000 + "deep",
        "|a" * 300 + "\n" + "|-" * 300 + "\n" + "|\n" * 800,
    ],
)
def test_what_would_cost_too_much_is_shown_as_it_was_written(text: str) -> None:
    html = answer_html(text)

    assert html.startswith('<div class="plain">')
    assert_harmless(html)


@pytest.mark.parametrize(
    "code",
    [
        "ts\n" + "a." * 2_900,
        "c\n" + "\n" * 3_900,
        "python\n" + "x = 1\n" * 1_100,
        "java\n" + "a " * 2_900,
    ],
)
def test_code_that_would_cost_seconds_to_colour_is_not_coloured(code: str) -> None:
    html = answer_html(f"# Title\n```{code}\n```")

    assert 'class="hl-' not in html
    assert "<h3>Title</h3>" in html


def test_all_code_of_an_answer_shares_one_budget() -> None:
    block = "```python\n" + "x = 1\n" * 600 + "```\n"

    html = answer_html(block * 3)

    assert html.count('<span class="hl-mi">1</span>') == 600
