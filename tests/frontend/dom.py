"""A page as a tree of elements that out-of-band swaps can be applied to, as htmx applies them.

Knows HTML as our templates write it (every element closed), and three of its void elements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

VOID = {"br", "hr", "input", "meta", "link"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def find(self, element_id: str) -> Element | None:
        """The element with that id in this one."""
        if self.attributes.get("id") == element_id:
            return self
        for child in self.children:
            if isinstance(child, Element) and (found := child.find(element_id)):
                return found
        return None

    def __str__(self) -> str:
        names = "".join(f' {k}="{escape(v)}"' for k, v in sorted(self.attributes.items()))
        inside = "".join(escape(c) if isinstance(c, str) else str(c) for c in self.children)
        return f"<{self.tag}{names}>{inside}</{self.tag}>"


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        closed = self._open.pop()
        if closed.tag != tag:
            raise AssertionError(f"</{tag}> closes <{closed.tag}>")

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(html: str) -> Element:
    """The tree of a page or of a frame."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    if len(builder._open) != 1:
        raise AssertionError(f"<{builder._open[-1].tag}> is not closed")
    return builder.root


def apply_frame(page: Element, frame: str) -> None:
    """What htmx does with one frame: a row of elements with `hx-swap-oob`."""
    for swap in parse(frame).children:
        if not isinstance(swap, Element):
            raise AssertionError(f"text between swaps: {swap!r}")
        target = page.find(swap.attributes["id"])
        if target is None:
            raise AssertionError(f"no target {swap.attributes['id']}")
        match swap.attributes["hx-swap-oob"]:
            case "innerHTML":
                target.children = swap.children
            case "beforeend":
                target.children = target.children + swap.children
            case other:
                raise AssertionError(f"unknown swap {other}")
