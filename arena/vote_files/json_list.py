"""One long JSON list of objects, read without holding all of it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arena.vote_files.errors import VoteFileError

_CHUNK_CHARACTERS = 1 << 20
# What does not parse may only be cut off by the end of the buffer; this much never is one vote.
_LONGEST_ITEM = 64 << 20


def list_items(path: Path, file: io.BufferedReader) -> Iterator[dict[str, Any]]:
    """The objects of the list that the file begins with. Raises VoteFileError."""
    text = _Text(path, io.TextIOWrapper(file, encoding="utf-8-sig"))
    text.mark()  # the bracket by which the file was known to be a list
    if text.next_is("]"):
        return
    while True:
        yield text.item()
        mark = text.mark()
        if mark == "]":
            break
        if mark != ",":
            raise text.wrong("neither a comma nor the end of the list follows")
    if text.mark():
        raise text.wrong("something follows after the end of the list")


class _Text:
    def __init__(self, path: Path, file: io.TextIOWrapper) -> None:
        self._path, self._file = path, file
        self._buffer, self._position, self._is_over = "", 0, False
        self._row = 0
        self._parse = json.JSONDecoder().raw_decode

    def item(self) -> dict[str, Any]:
        """The object that comes next."""
        self._row += 1
        self._skip_space()
        while True:
            try:
                item, self._position = self._parse(self._buffer, self._position)
                break
            except (ValueError, RecursionError) as error:
                is_long = len(self._buffer) - self._position > _LONGEST_ITEM
                if self._is_over or is_long or isinstance(error, RecursionError):
                    raise self.wrong(f"not JSON, or cut off: {error}") from error
                self._read_on()
        if not isinstance(item, dict):
            raise self.wrong("not an object of one vote")
        return item

    def mark(self) -> str:
        """The punctuation mark that comes next, "" at the end."""
        self._skip_space()
        self._position += 1
        return self._buffer[self._position - 1 : self._position]

    def next_is(self, mark: str) -> bool:
        self._skip_space()
        return self._buffer.startswith(mark, self._position)

    def wrong(self, message: str) -> VoteFileError:
        return VoteFileError(self._path, message, row=self._row)

    def _skip_space(self) -> None:
        while True:
            while self._buffer[self._position : self._position + 1] in (" ", "\t", "\r", "\n"):
                self._position += 1
            if self._position < len(self._buffer) or self._is_over:
                return
            self._read_on()

    def _read_on(self) -> None:
        rest = self._buffer[self._position :]
        try:
            # As much again as is there, so that a long item is not parsed from its start too often.
            more = self._file.read(max(_CHUNK_CHARACTERS, len(rest)))
        except UnicodeDecodeError as error:
            raise VoteFileError(self._path, f"not UTF-8 after row {self._row}") from error
        self._is_over = not more
        self._buffer, self._position = rest + more, 0
