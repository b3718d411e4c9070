"""Prompts of an exact number of tokens, of which no two share more than their first words.

English prose (this project's licence), so that greedy answers go on as long as they may. Knows no
contender.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from benchmarks.burst import Prompt
from benchmarks.results import ROOT

_TRIES = 50


class PromptTexts:
    """Makes prompts with the tokenizer of a checkpoint folder."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._words = (ROOT / "LICENSE").read_text().split()

    def take(self, number: int, *, tokens: int) -> Prompt:
        """Prompt number `number` of `tokens` tokens; the same number gives the same prompt.

        It begins with its number: a server that keeps the beginnings of earlier prompts finds none.
        Raises ValueError when no text of this length is found.
        """
        for attempt in range(_TRIES):
            begin = (number * 37 + attempt) % len(self._words)
            # A word is a token or more; few begin so late that the text ends before the prompt.
            words = (self._words * 2)[begin : begin + tokens]
            ids = self._encode(f"{number} {' '.join(words)}")[:tokens]
            text = self._tokenizer.decode(ids, skip_special_tokens=False)
            if len(ids) == tokens and self._encode(text) == ids:
                return Prompt(text, ids)
        raise ValueError(f"no text of {tokens} tokens was found in {_TRIES} tries")

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids
