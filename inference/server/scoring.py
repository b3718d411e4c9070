"""Log-likelihoods of given texts: which texts are read together, and in what pieces.

It knows tensors and token ids; it knows no queue, no thread and no tokenizer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

from inference.server.generation import TokenLogprob


@dataclass(frozen=True)
class Likelihoods:
    """Of n positions of one text, on the host."""

    tokens: torch.Tensor
    """(n,): the tokens that follow; after the end of the text the likeliest one."""
    own: torch.Tensor
    """(n,): their log-probabilities."""
    best_tokens: torch.Tensor
    """(n, top): the likeliest tokens, best first."""
    best: torch.Tensor
    """(n, top): their log-probabilities."""

    def listed(self) -> list[TokenLogprob]:
        """One entry for each position."""
        columns = (self.tokens, self.own, self.best_tokens, self.best)
        return [
            TokenLogprob(token=token, logprob=own, top=tuple(zip(tokens, best, strict=True)))
            for token, own, tokens, best in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]


def grouped(lengths: Sequence[int], *, most_tokens: int) -> list[list[int]]:
    """Places of texts that are read together: of similar length, and with their padding no more
    than `most_tokens`. A text that is longer is alone."""
    groups: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        # It is the longest of its group so far.
        if groups and (len(groups[-1]) + 1) * lengths[place] <= most_tokens:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


class TextGroup:
    """Texts that are read together, padded to one length; or one long text, read in pieces."""

    def __init__(
        self, model: Any, texts: Sequence[Sequence[int]], *, top: int, most_tokens: int
    ) -> None:
        self._model = model
        self._texts = texts
        self._top = top
        self._width = most_tokens // len(texts)
        self._longest = max(map(len, texts))
        in_pieces = self._longest > self._width
        self._cache = DynamicCache(config=model.config) if in_pieces else None

    def pieces(self) -> Iterator[slice]:
        """Positions to be read at once, to be given to `read` in this order."""
        for begin in range(0, self._longest, self._width):
            yield slice(begin, begin + self._width)

    @torch.no_grad()
    def read(self, piece: slice) -> list[Likelihoods]:
        """What follows the positions of `piece`, for each text.

        Raises ArithmeticError when the model computes no numbers.
        """
        device = self._model.device
        rows = [list(text[piece]) for text in self._texts]
        # The padding is on the right, where no token of a text looks.
        width = max(map(len, rows))
        padded = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=device)
        logits = self._model(
            input_ids=padded, past_key_values=self._cache, use_cache=self._cache is not None
        ).logits
        found = []
        for number, (row, text) in enumerate(zip(rows, self._texts, strict=True)):
            # In one step, as lm_eval does it: over 50,000 words its float32 sum is some 6e-6 off,
            # always to one side, which a long text adds up.
            likely = logits[number, : len(row)].log_softmax(dim=-1, dtype=torch.float32)
            check_numbers(likely)
            follow = list(text[piece.start + 1 : piece.stop + 1])
            if len(follow) < len(row):
                follow.append(int(likely[-1].argmax()))
            tokens = torch.tensor(follow, device=device)
            own = likely.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
            best, best_tokens = likely.topk(min(self._top, likely.size(-1)), dim=-1)
            found.append(Likelihoods(tokens.cpu(), own.cpu(), best_tokens.cpu(), best.cpu()))
        return found


def check_numbers(scores: torch.Tensor) -> None:
    """Raises ArithmeticError where `scores` (rows, vocabulary) are no distribution."""
    if not bool(scores.amax(dim=-1).isfinite().all()):
        raise ArithmeticError("the model's output is not a number")
