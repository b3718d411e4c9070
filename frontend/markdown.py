"""The one place that makes HTML of what a model wrote, whose every character is hostile.

Markdown (no raw HTML) becomes HTML through markdown-it-py, code is coloured by Pygments classes,
and nh3 lets pass what is listed here and nothing else. Knows nothing of battles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import nh3
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

# Past any of these an answer is shown as it was written. Measured: the parser takes
# 0.5 s for 32 KB of "![", and 1 s for a table whose rows it fills up with empty cells.
MAX_BYTES = 32 * 1024
MAX_DELIMITERS = 4_000
MAX_TABLE_CELLS = 10_000
# Pygments is quadratic in many languages, mostly in the length of a line or of a run of blanks
# (8,000 characters "a." as TypeScript: 2 s).
MAX_HIGHLIGHTED = 6_000
MAX_HIGHLIGHTED_LINE = 200
_DELIMITERS = re.compile(r"[*_~`\[\]()!<>&|#\\\n-]")

_BLANKS = re.compile(r"\s{160}")

# Languages of code blocks that are coloured. Guessing others would cost more than it gives, and
# Java, C# and makefiles are left out since 6,000 characters of "a " take their lexers seconds.
_LANGUAGES = {
    "bash", "c", "c++", "cpp", "css", "diff", "dockerfile", "go", "haskell", "html", "javascript",
    "js", "json", "jsx", "julia", "kotlin", "latex", "lua", "perl", "php", "python", "py", "r",
    "ruby", "rust", "rs", "scala", "scheme", "sh", "shell", "sql", "swift", "toml", "ts", "tsx",
    "typescript", "xml", "yaml", "yml", "zig",
}  # fmt: skip

_TAGS = {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "span", "div", "blockquote",
    "ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td",
    "h3", "h4", "h5", "h6", "figure", "figcaption",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "div": {"class", "tabindex"},
    "span": {"class"},
    "figure": {"class"},
    "th": {"class"},
    "td": {"class"},
}
_SCHEMES = {"http", "https", "mailto"}
# The page's own outline ends at h2, the title of the pane.
_FIRST_HEADING = 3
_LAST_HEADING = 6


def answer_html(text: str) -> SafeString:
    """What a finished answer looks like: safe to place in a page, however hostile `text` is.

    Markdown where that is affordable, else the escaped text. Links lose everything but http, https
    and mailto; images become links, so that reading an answer asks no other server for anything.
    """
    if not _affordable(text):
        return plain_html(text)
    dirty = _parser().render(text)
    clean = nh3.clean(
        dirty,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(f'<div class="markdown">{clean}</div>')  # noqa: S308 - nh3 has just cleaned it


def plain_html(text: str) -> SafeString:
    """The text as it was written, escaped."""
    return format_html('<div class="plain">{}</div>', text)


def _affordable(text: str) -> bool:
    if len(text) > MAX_BYTES or len(text.encode()) > MAX_BYTES:
        return False
    if sum(1 for _ in _DELIMITERS.finditer(text)) > MAX_DELIMITERS:
        return False
    lines = text.split("\n")
    return len(lines) * max(line.count("|") for line in lines) <= MAX_TABLE_CELLS


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(
        ["table", "strikethrough"]
    )
    parser.core.ruler.push("outline", _headings_outline)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("code_block", _fence)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    parser.add_render_rule("th_open", _cell_open)
    parser.add_render_rule("td_open", _cell_open)
    return parser


def _headings_outline(state: Any) -> None:
    """Number headings by depth, so that an answer that begins at #### leaves no gap in the page."""
    above: list[int] = []
    for token in state.tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while above and above[-1] >= level:
                above.pop()
            above.append(level)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(_FIRST_HEADING + len(above) - 1, _LAST_HEADING)}"


def _fence(
    renderer: RendererHTML,  # noqa: ARG001
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,  # noqa: ARG001
    env: EnvType,
) -> str:
    token = tokens[index]
    language = (token.info.split() or [""])[0].lower()
    caption, code = "", escape(token.content)
    if language in _LANGUAGES:
        caption = f"<figcaption>{escape(language)}</figcaption>"
        # One budget for all blocks of an answer.
        left = env.setdefault("highlight_left", MAX_HIGHLIGHTED)
        longest = max(len(line) for line in token.content.split("\n"))
        if (
            len(token.content) <= left
            and longest <= MAX_HIGHLIGHTED_LINE
            and not _BLANKS.search(token.content)
        ):
            env["highlight_left"] = left - len(token.content)
            code = SafeString(
                highlight(
                    token.content,
                    get_lexer_by_name(language, stripnl=False),
                    HtmlFormatter(nowrap=True, classprefix="hl-"),
                )
            )
    # Long lines scroll, which a keyboard can do only in something that takes the focus.
    return f'<figure class="code">{caption}<pre tabindex="0"><code>{code}</code></pre></figure>\n'


def _image(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    token = tokens[index]
    alt = renderer.renderInlineAsText(token.children or [], options, env)
    address = str(token.attrs.get("src", ""))
    return f'<a href="{escape(address)}">{escape(alt or address)}</a>'


def _table_open(*_: object) -> str:
    return '<div class="scroll" tabindex="0"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"


def _cell_open(
    renderer: RendererHTML,  # noqa: ARG001
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,  # noqa: ARG001
    env: EnvType,  # noqa: ARG001
) -> str:
    """The parser aligns cells by a style attribute, which the page's policy forbids."""
    token = tokens[index]
    style = str(token.attrs.get("style", ""))
    align = style.removeprefix("text-align:")
    return f'<{token.tag} class="{align}">' if align in {"right", "center"} else f"<{token.tag}>"
