"""Phrases of tokens, found by walking along a text: the work is that of the longest match.

Knows nothing of what the phrases mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass
class _Node(Generic[Value]):
    following: dict[str, _Node[Value]] = field(default_factory=dict)
    value: Value | None = None


class PhraseTree(Generic[Value]):
    """Values by phrases, each phrase a sequence of at least one token."""

    def __init__(self) -> None:
        self._root: _Node[Value] = _Node()

    def add(self, phrase: Sequence[str], value: Value) -> Value:
        """Add a phrase unless it is there; the value that it has now."""
        node = self._root
        for token in phrase:
            node = node.following.setdefault(token, _Node())
        if node.value is None:
            node.value = value
        return node.value

    def firsts(self) -> frozenset[str]:
        """The tokens that phrases begin with."""
        return frozenset(self._root.following)

    def single(self, value: Value) -> frozenset[str]:
        """The tokens that have this value alone."""
        return frozenset(
            token for token, node in self._root.following.items() if node.value == value
        )

    def matches(self, tokens: Sequence[str], place: int) -> Iterator[tuple[int, Value]]:
        """Length and value of every phrase that begins at `place`, the shortest first."""
        node = self._root.following.get(tokens[place])
        length = 1
        while node is not None:
            if node.value is not None:
                yield length, node.value
            if place + length == len(tokens):
                return
            node = node.following.get(tokens[place + length])
            length += 1

    def longest(self, tokens: Sequence[str], place: int) -> tuple[int, Value] | None:
        """Length and value of the longest phrase that begins at `place`."""
        found = None
        for found in self.matches(tokens, place):  # noqa: B007
            pass
        return found
