"""One answer computed alone, so that its seed and its request decide every token.

It knows tensors and sampling parameters; it knows no queue, no thread and no text.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache

from inference.server.generation import GenerationRequest, TokenLogprob
from inference.server.sampling import MOST_TOP_LOGPROBS, SamplingRows, choose, logprobs
from inference.server.scoring import check_numbers


class SeededAnswer:
    """The tokens of one request, one call of `advance` after another."""

    def __init__(self, model: Any, request: GenerationRequest, *, most_tokens: int) -> None:
        device = model.device
        self._model = model
        self._request = request
        self._most_tokens = most_tokens
        self._cache = DynamicCache(config=model.config)
        self._unread = list(request.prompt)
        self._parameters = SamplingRows(
            temperature=torch.tensor([float(request.temperature)], device=device),
            top_p=torch.tensor([float(request.top_p)], device=device),
            top_k=torch.tensor([request.top_k], device=device),
        )
        self._random = torch.Generator(device)
        if request.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(request.seed % 2**64)
        # The scores of a prompt are large, and only its last ones are looked at.
        last_only = model._supports_logits_to_keep()  # noqa: SLF001
        self._options = {"logits_to_keep": 1} if last_only else {}

    @torch.no_grad()
    def advance(self) -> tuple[int, TokenLogprob | None] | None:
        """The next token, and its log-probability where the request asks for it; None after a piece
        of the prompt that has more to come.

        Raises ArithmeticError when the model computes no numbers.
        """
        piece, self._unread = self._unread[: self._most_tokens], self._unread[self._most_tokens :]
        logits = self._model(
            input_ids=torch.tensor([piece], device=self._model.device),
            past_key_values=self._cache,
            use_cache=True,
            **self._options,
        ).logits
        if self._unread:
            return None
        scores = logits[:, -1].float()
        check_numbers(scores)
        chosen = choose(scores, self._parameters, self._random)
        token = int(chosen)
        self._unread = [token]
        if not self._request.logprobs:
            return token, None
        own, tokens, best = logprobs(scores, chosen, MOST_TOP_LOGPROBS)
        top = tuple(zip(tokens[0].tolist(), best[0].tolist(), strict=True))
        return token, TokenLogprob(token=token, logprob=float(own), top=top)
