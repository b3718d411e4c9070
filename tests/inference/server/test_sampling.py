"""Our processors choose among the same tokens as those of transformers, row by row."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingTopKLogitsWarper,
    ContinuousBatchingTopPLogitsWarper,
)

from inference.server.sampling import RequestTemperature, RequestTopK, RequestTopP

VOCABULARY = 2000
BASE: Any = SimpleNamespace(
    temperature=0.7, top_k=50, top_p=0.9, filter_value=-float("inf"), min_tokens_to_keep=1
)


def rows(**parameters: list[float]) -> list[Any]:
    """Requests of a batch, as a processor sees them."""
    (name, values), *_ = parameters.items()
    return [
        SimpleNamespace(state=SimpleNamespace(logit_processor_kwargs={name: value}))
        for value in values
    ]


def scores(number: int, *, spread: float = 3.0) -> torch.Tensor:
    return torch.randn(number, VOCABULARY, generator=torch.Generator().manual_seed(5)) * spread


@pytest.mark.parametrize("spread", [3.0, 0.01], ids=["peaked", "flat"])
def test_top_p_keeps_the_same_nucleus(spread: float) -> None:
    given = scores(4, spread=spread)
    requests = rows(top_p=[0.1, 0.9, 1.0, 0.5])
    ours, theirs = RequestTopP(BASE), ContinuousBatchingTopPLogitsWarper(BASE)

    kept = ours(given, ours.prepare_tensor_args(requests))

    expected = theirs(given, theirs.prepare_tensor_args(requests))
    expected[2] = given[2]  # 1.0 is off; theirs may lose the last token to rounding
    assert torch.equal(kept, expected)


def test_top_k_keeps_the_same_tokens_and_0_is_off() -> None:
    given = scores(4)
    ours, theirs = RequestTopK(BASE, VOCABULARY), ContinuousBatchingTopKLogitsWarper(BASE)

    kept = ours(given, ours.prepare_tensor_args(rows(top_k=[1, 50, 0, 10**6])))

    full = rows(top_k=[1, 50, VOCABULARY, VOCABULARY])
    assert torch.equal(kept, theirs(given, theirs.prepare_tensor_args(full)))


def test_temperature_0_leaves_the_first_of_the_likeliest_only_in_its_own_row() -> None:
    given = torch.tensor([[1.0, 4.0, 4.0], [1.0, 2.0, 3.0]])
    processor = RequestTemperature(BASE)

    left = processor(given, processor.prepare_tensor_args(rows(temperature=[0.0, 2.0])))

    assert left[0].isfinite().tolist() == [False, True, False]
    assert left[1].tolist() == [0.5, 1.0, 1.5]
