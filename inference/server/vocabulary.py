"""The bytes and the printed form of single tokens, for answers that report log-probabilities.

It knows how tokenizers write their pieces; it knows no model, protocol or sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from transformers.convert_slow_tokenizer import bytes_to_unicode

_BYTE_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"


class Vocabulary:
    """Every token of one tokenizer by its number.

    A token may be a piece of a character, so its bytes are the truth and its text a rendering.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._added = {
            int(token): str(added.content).encode()
            for token, added in tokenizer.added_tokens_decoder.items()
        }
        self._special = frozenset(int(token) for token in tokenizer.all_special_ids)
        self._bytes = {letter: number for number, letter in _byte_letters().items()}
        self._byte_level = _is_byte_level(tokenizer)
        self._known: dict[int, bytes] = {}

    def bytes_of(self, token: int) -> bytes:
        """UTF-8, whole or in part; empty for a number that the tokenizer does not use."""
        known = self._known.get(token)
        if known is None:
            known = self._known[token] = self._read(token)
        return known

    def bytes_shown(self, token: int) -> bytes:
        """As `bytes_of`, but nothing for a special token: an answer's text leaves those out."""
        return b"" if token in self._special else self.bytes_of(token)

    def text_of(self, tokens: Sequence[int]) -> str:
        """All of a text, special tokens included; half characters become U+FFFD."""
        return b"".join(self.bytes_of(token) for token in tokens).decode(errors="replace")

    def name_of(self, token: int) -> str:
        r"""A token's text, or its bytes as `\xe2\x96` where they are no whole characters."""
        raw = self.bytes_of(token)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return "".join(f"\\x{byte:02x}" for byte in raw)

    def _read(self, token: int) -> bytes:
        if token in self._added:
            return self._added[token]
        piece = self._tokenizer.convert_ids_to_tokens(token)
        if piece is None:
            return b""
        if self._byte_level and all(letter in self._bytes for letter in piece):
            return bytes(self._bytes[letter] for letter in piece)
        single = _BYTE_PIECE.fullmatch(piece)
        if single:
            return bytes([int(single[1], 16)])
        return str(piece).replace(_SPACE, " ").encode()


def _byte_letters() -> dict[int, str]:
    letters: dict[int, str] = bytes_to_unicode()  # type: ignore[no-untyped-call]
    return letters


def _is_byte_level(tokenizer: Any) -> bool:
    """Whether pieces are written with a letter for each byte, as GPT-2 began it."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    decoder = getattr(backend, "decoder", None)
    return decoder is not None and b'"ByteLevel"' in decoder.__getstate__()
