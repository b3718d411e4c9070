"""The choice of the next token: each request's own sampling parameters inside one batch.

The batching API of transformers would give each request a temperature, top-k and top-p too, but
divides by a temperature of 0, sorts the whole vocabulary twice a token, draws a random number for
every word of it, and tells log-probabilities only after all that. One processor does it here. It
knows rows of scores and their parameters; it knows no requests beyond their names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import GenerationConfig
from transformers.generation.continuous_batching import ContinuousBatchingManager
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
)

from inference.server.generation import TokenLogprob

MOST_TOP_LOGPROBS = 20
# On a CPU a partial sort costs by its width, so the likeliest few are tried first.
_WIDTHS = (64, 1024)


@dataclass(kw_only=True)
class SamplingRows:
    """Parameters by row: float32, float32 and int64 tensors of shape (rows,)."""

    temperature: torch.Tensor
    """0 is greedy."""
    top_p: torch.Tensor
    """1 is off."""
    top_k: torch.Tensor
    """0 is off."""

    @classmethod
    def neutral(cls, rows: int, device: torch.device) -> SamplingRows:
        """Greedy rows."""
        return cls(
            temperature=torch.zeros(rows, device=device),
            top_p=torch.ones(rows, device=device),
            top_k=torch.zeros(rows, dtype=torch.int64, device=device),
        )

    def of(self, rows: slice | torch.Tensor) -> SamplingRows:
        """Some of the rows."""
        return SamplingRows(
            temperature=self.temperature[rows], top_p=self.top_p[rows], top_k=self.top_k[rows]
        )


def choose(
    scores: torch.Tensor, rows: SamplingRows, generator: torch.Generator | None = None
) -> torch.Tensor:
    """One token for each row of `scores` (float32, rows x vocabulary): int64 of shape (rows,).

    Temperature, then the `top_k` likeliest, then the smallest set that holds `top_p` of what is
    left (Holtzman et al. 2020, section 3.1), then a draw. Ties in a greedy row go to the first.
    """
    chosen = scores.argmax(dim=-1)
    if scores.device.type != "cpu":
        drawn, _ = _draw(scores, rows, scores.size(1), generator)
        return torch.where(rows.temperature > 0, drawn, chosen)
    open_rows = rows.temperature > 0
    if not bool(open_rows.any()):
        return chosen
    vocabulary = scores.size(1)
    limited = (rows.top_p < 1) | ((rows.top_k > 0) & (rows.top_k < vocabulary))
    free = (open_rows & ~limited).nonzero().squeeze(-1)
    if free.numel():
        # From the largest down, so that the smallest temperature makes no infinity of it.
        lowered = scores[free] - scores[free, chosen[free]].unsqueeze(-1)
        scaled = lowered / rows.temperature[free].unsqueeze(-1)
        chosen[free] = _pick(scaled.softmax(dim=-1), generator)
    left = (open_rows & limited).nonzero().squeeze(-1)
    for width in (*_WIDTHS, vocabulary):
        if not left.numel():
            break
        drawn, covered = _draw(scores[left], rows.of(left), min(width, vocabulary), generator)
        chosen[left[covered]] = drawn[covered]
        left = left[~covered]
    return chosen


def nucleus(
    scores: torch.Tensor, rows: SamplingRows, width: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What may be drawn among the `width` likeliest tokens of each row.

    Returns their ids, their shares (0 for those left out), both rows x width, best first, and
    whether a row's choice lies within that width.
    """
    vocabulary = scores.size(1)
    best, tokens = scores.topk(width, dim=-1)
    temperature = torch.where(rows.temperature > 0, rows.temperature, 1.0).unsqueeze(-1)
    largest = best[:, :1]
    best = (best - largest) / temperature
    limit = torch.where(rows.top_k > 0, rows.top_k, vocabulary).unsqueeze(-1)
    best = best.masked_fill(torch.arange(width, device=scores.device) >= limit, -torch.inf)
    limit = limit.squeeze(-1)
    fits = limit <= width
    whole = best.logsumexp(dim=-1)
    if width < vocabulary:
        everything = ((scores - largest) / temperature).logsumexp(dim=-1)
        whole = torch.where(fits, whole, everything)
    shares = (best - whole.unsqueeze(-1)).exp()
    sums = shares.cumsum(dim=-1)
    kept = sums - shares < rows.top_p.unsqueeze(-1)
    kept[:, 0] = True
    covered = fits | ((limit >= vocabulary) & (sums[:, -1] >= rows.top_p))
    return tokens, shares * kept, covered


def logprobs(
    scores: torch.Tensor, chosen: torch.Tensor, top: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Log-probability of the chosen token of each row, and ids and log-probabilities of the `top`
    likeliest: shapes (rows,), rows x top, rows x top."""
    whole = scores.logsumexp(dim=-1, keepdim=True)
    best, tokens = scores.topk(min(top, scores.size(1)), dim=-1)
    own = scores.gather(-1, chosen.unsqueeze(-1)) - whole
    return own.squeeze(-1), tokens, best - whole


def _draw(
    scores: torch.Tensor, rows: SamplingRows, width: int, generator: torch.Generator | None
) -> tuple[torch.Tensor, torch.Tensor]:
    tokens, shares, covered = nucleus(scores, rows, width)
    places = _pick(shares, generator)
    return tokens.gather(-1, places.unsqueeze(-1)).squeeze(-1), covered


def _pick(shares: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """A place in each row, drawn with these shares; they need not sum to 1.

    By the inverse of the distribution function: one random number a row instead of one a token.
    """
    sums = shares.cumsum(dim=-1)
    drawn = torch.rand((shares.size(0), 1), device=shares.device, generator=generator)
    # Strictly inside the total, so that no place of share 0 is found.
    wanted = (drawn * sums[:, -1:]).minimum(sums[:, -1:] * (1 - 1e-7))
    return torch.searchsorted(sums, wanted, right=True).squeeze(-1).clamp_max(shares.size(1) - 1)


@dataclass
class _Told:
    """Log-probabilities of a step's rows, and whose rows they are."""

    names: list[tuple[int, str]]
    chosen: torch.Tensor
    own: torch.Tensor
    tokens: torch.Tensor
    best: torch.Tensor


@dataclass
class Sampler(ContinuousBatchingLogitsProcessor):
    """The only logits processor of a manager: chooses, and raises the chosen score to infinity.

    The manager must not sample itself (`do_sample=False`) and must not overlap steps.
    """

    rows: int
    """Most requests in one step."""
    device: torch.device
    reports: dict[str, list[TokenLogprob]] = field(default_factory=dict)
    """Of the requests that asked for log-probabilities, token by token."""
    broken: set[str] = field(default_factory=set)
    """Requests for which the model computed something that is not a number."""

    supported_kwargs = {"temperature": float, "top_p": float, "top_k": int, "logprobs": bool}
    ignored_kwargs = ()

    def __post_init__(self) -> None:
        # Fixed places in memory, which a recorded CUDA graph needs.
        self._parameters = SamplingRows.neutral(self.rows, self.device)
        self._names: list[str] = []
        self._asked: list[tuple[int, str]] = []
        self._largest: torch.Tensor | None = None
        self._told: _Told | None = None

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """The manager's own storage of parameters is not used."""
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        """Note the parameters of the coming step, in the order of its rows."""
        wanted = [request.state.logit_processor_kwargs for request in requests_with_new_token]
        for name in ("temperature", "top_p", "top_k"):
            place = getattr(self._parameters, name)
            place[: len(wanted)] = torch.tensor([row[name] for row in wanted], dtype=place.dtype)
        self._names = [request.state.request_id for request in requests_with_new_token]
        self._asked = [
            (number, name)
            for number, name in enumerate(self._names)
            if wanted[number].get("logprobs")
        ]
        return torch.zeros(len(wanted), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """Choose for every row of `scores` (rows x vocabulary, changed in place)."""
        # One that is not a number is the largest of its row.
        self._largest = scores.amax(dim=-1)
        chosen = choose(scores, self._parameters.of(slice(scores.size(0))))
        if scores.device.type != "cpu":
            # Recorded or not, every row is reported: a graph cannot look at who asked.
            self._told = _Told([], chosen, *logprobs(scores, chosen, MOST_TOP_LOGPROBS))
        elif self._asked:
            numbers = torch.tensor([number for number, _ in self._asked])
            told = logprobs(scores[numbers], chosen[numbers], MOST_TOP_LOGPROBS)
            names = [(place, name) for place, (_, name) in enumerate(self._asked)]
            self._told = _Told(names, chosen[numbers], *told)
        return scores.scatter_(-1, chosen.unsqueeze(-1), torch.inf)

    def collect(self) -> None:
        """After a step: note what it found in `reports` and `broken`."""
        if self._largest is not None and not bool(self._largest.isfinite().all()):
            finite = self._largest.isfinite().tolist()
            self.broken |= {
                name for name, right in zip(self._names, finite, strict=False) if not right
            }
        told, asked = self._told, self._asked
        if told is None or not asked:
            return
        if told.chosen.device.type == "cpu":
            self._told = None
        names = told.names or asked
        columns = (part.tolist() for part in (told.chosen, told.own, told.tokens, told.best))
        chosen, own, tokens, best = columns
        for row, name in names:
            self.reports.setdefault(name, []).append(
                TokenLogprob(
                    token=chosen[row],
                    logprob=own[row],
                    top=tuple(zip(tokens[row], best[row], strict=True)),
                )
            )

    def forget(self, name: str) -> None:
        """Keep nothing of a request that ended."""
        self.reports.pop(name, None)
        self.broken.discard(name)


def greedy_config(eos_token_ids: list[int]) -> GenerationConfig:
    """What a manager whose choices are made by a `Sampler` is told."""
    config: Any = GenerationConfig
    made: GenerationConfig = config(do_sample=False, eos_token_id=eos_token_ids)
    return made


def install_sampler(manager: ContinuousBatchingManager, sampler: Sampler) -> None:
    """Make `sampler` the manager's only processor, before it is started."""
    processors = manager.logit_processor
    processors.logits_processor.clear()
    processors.logits_processor.append(sampler)
    processors.tensors_required = 1
    processors.supported_keys = dict(sampler.supported_kwargs)
    processors.ignored_keys = set()
    processors.do_processing = True
