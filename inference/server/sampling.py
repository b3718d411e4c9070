"""Sampling parameters by request inside one batch.

The batching API of transformers gives each request its own temperature, top-k and top-p, but
divides by a temperature of 0 and sorts the whole vocabulary twice per token. These three processors
keep its interface, add exact greedy decoding, and on a CPU look only at the rows and candidates
that matter. They know nothing of requests beyond these numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import GenerationConfig
from transformers.generation.continuous_batching import ContinuousBatchingManager
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingTemperatureLogitsWarper,
    ContinuousBatchingTopKLogitsWarper,
    ContinuousBatchingTopPLogitsWarper,
)

_NUCLEUS_CANDIDATES = 512
_REMOVED = -float("inf")


def sampling_config(eos_token_ids: list[int]) -> GenerationConfig:
    """A generation configuration under which every request may choose its own parameters.

    The manager makes a processor only for a parameter whose default is not neutral: hence these.
    """
    config: Any = GenerationConfig
    made: GenerationConfig = config(
        do_sample=True, temperature=0.7, top_k=50, top_p=0.9, eos_token_id=eos_token_ids
    )
    return made


def install_processors(manager: ContinuousBatchingManager, *, vocabulary: int) -> None:
    """Put ours in the place of the manager's three processors, before it is started.

    Raises RuntimeError when this release of transformers arranges them differently.
    """
    ours: dict[type[Any], Callable[[Any], Any]] = {
        ContinuousBatchingTemperatureLogitsWarper: lambda base: RequestTemperature(base),
        ContinuousBatchingTopKLogitsWarper: lambda base: RequestTopK(base, vocabulary),
        ContinuousBatchingTopPLogitsWarper: lambda base: RequestTopP(base),
    }
    processors = manager.logit_processor.logits_processor
    if {type(processor) for processor in processors} != set(ours):
        names = ", ".join(type(processor).__name__ for processor in processors)
        raise RuntimeError(f"this transformers has unknown logits processors: {names}")
    for place, processor in enumerate(processors):
        processors[place] = ours[type(processor)](processor)


class RequestTemperature(ContinuousBatchingTemperatureLogitsWarper):
    """Temperature by row; 0 leaves only the first of the likeliest tokens."""

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        temperature = tensor_arg[: scores.size(0)].view(dtype=torch.float32).unsqueeze(-1)
        greedy = temperature == 0
        scaled = scores / torch.where(greedy, 1.0, temperature)
        if scores.device.type == "cpu" and not greedy.any():
            return scaled
        tokens = torch.arange(scores.size(1), device=scores.device)
        other = tokens != scores.argmax(dim=-1, keepdim=True)
        return scaled.masked_fill(greedy & other, _REMOVED)


class RequestTopK(ContinuousBatchingTopKLogitsWarper):
    """Top-k by row; 0 is off."""

    def __init__(self, base: Any, vocabulary: int) -> None:
        super().__init__(base)
        self.vocabulary = vocabulary

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        wanted = [
            request.state.logit_processor_kwargs.get("top_k", self.top_k)
            for request in requests_with_new_token
        ]
        limits = [min(k, self.vocabulary) if k > 0 else self.vocabulary for k in wanted]
        return torch.tensor(limits, dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        if scores.device.type != "cpu":
            return super().__call__(scores, tensor_arg)
        limits = tensor_arg[: scores.size(0)].to(torch.int64)
        rows = (limits < scores.size(1)).nonzero().squeeze(-1)
        if not rows.numel():
            return scores
        chosen, limits = scores[rows], limits[rows]
        best = chosen.topk(int(limits.max()), dim=-1).values
        least = best.gather(-1, (limits - 1).unsqueeze(-1))
        return scores.index_copy(0, rows, chosen.masked_fill(chosen < least, _REMOVED))


class RequestTopP(ContinuousBatchingTopPLogitsWarper):
    """Nucleus sampling by row; 1 is off."""

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        if scores.device.type != "cpu":
            return super().__call__(scores, tensor_arg)
        limits = tensor_arg[: scores.size(0)].view(dtype=torch.float32).unsqueeze(-1)
        rows = (limits.squeeze(-1) < 1).nonzero().squeeze(-1)
        if not rows.numel():
            return scores
        chosen, limits = scores[rows], limits[rows]
        best, tokens = chosen.topk(min(_NUCLEUS_CANDIDATES, scores.size(1)), dim=-1)
        shares = (best - chosen.logsumexp(dim=-1, keepdim=True)).exp()
        sums = shares.cumsum(dim=-1)
        if bool((sums[:, -1:] < limits).any()):  # a flat distribution: the nucleus is wider
            return super().__call__(scores, tensor_arg)
        kept = best.masked_fill(sums - shares >= limits, _REMOVED)
        nucleus = torch.full_like(chosen, _REMOVED).scatter(-1, tokens, kept)
        return scores.index_copy(0, rows, nucleus)
