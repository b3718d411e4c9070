"""A row's token is drawn from what transformers would draw it from, by its own parameters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from inference.server.sampling import Sampler, SamplingRows, choose, logprobs, nucleus

VOCABULARY = 2000


def rows(*parameters: tuple[float, float, int]) -> SamplingRows:
    """Temperature, top-p and top-k of each row."""
    temperature, top_p, top_k = zip(*parameters, strict=True)
    return SamplingRows(
        temperature=torch.tensor(temperature),
        top_p=torch.tensor(top_p),
        top_k=torch.tensor(top_k, dtype=torch.int64),
    )


def scores(number: int, *, spread: float = 3.0, vocabulary: int = VOCABULARY) -> torch.Tensor:
    return torch.randn(number, vocabulary, generator=torch.Generator().manual_seed(5)) * spread


def theirs(given: torch.Tensor, temperature: float, top_p: float, top_k: int) -> torch.Tensor:
    """Shares of one row by the processors of transformers' `generate`."""
    row: Any = given.unsqueeze(0)
    for processor in (
        TemperatureLogitsWarper(temperature) if temperature != 1 else None,
        TopKLogitsWarper(top_k) if top_k else None,
        TopPLogitsWarper(top_p) if top_p < 1 else None,
    ):
        if processor is not None:
            row = processor(None, row)
    shares: torch.Tensor = row.softmax(-1)[0]
    return shares


@pytest.mark.parametrize("spread", [3.0, 0.01], ids=["peaked", "flat"])
@pytest.mark.parametrize(
    "parameters",
    [
        (1.0, 0.9, 0),
        (0.7, 0.9, 50),
        (0.7, 1.0, 5),
        (1.5, 0.5, 300),
        (1.0, 0.999, 1999),
        (2.0, 0.1, 1),
    ],
)
@pytest.mark.parametrize("width", [64, 1024, VOCABULARY])
def test_the_nucleus_is_that_of_transformers(
    parameters: tuple[float, float, int], spread: float, width: int
) -> None:
    given = scores(1, spread=spread)

    tokens, shares, covered = nucleus(given, rows(parameters), width)

    temperature, top_p, top_k = parameters
    expected = theirs(given[0], temperature, top_p, top_k)
    if bool(covered[0]):
        ours = torch.zeros(VOCABULARY).scatter(0, tokens[0], shares[0])
        torch.testing.assert_close(ours / ours.sum(), expected, rtol=1e-4, atol=1e-7)
    else:
        assert width < VOCABULARY
        assert top_k > width or int((expected > 0).sum()) >= width


@pytest.mark.parametrize(
    "parameters", [(1.0, 1.0, 0), (0.8, 1.0, 0), (0.8, 0.9, 0), (1.3, 1.0, 7), (0.7, 0.95, 20)]
)
def test_tokens_come_as_often_as_their_shares_say(parameters: tuple[float, float, int]) -> None:
    draws, vocabulary = 40_000, 30
    given = scores(1, spread=1.5, vocabulary=vocabulary)
    generator = torch.Generator().manual_seed(11)

    chosen = choose(given.expand(draws, -1).clone(), rows(*[parameters] * draws), generator)

    expected = theirs(given[0], *parameters)
    counts = torch.bincount(chosen, minlength=vocabulary)
    allowed = expected > 0
    assert int(counts[~allowed].sum()) == 0
    shares = expected[allowed].double()
    test = chisquare(counts[allowed].numpy(), (shares / shares.sum() * draws).numpy())
    assert test.pvalue > 1e-4


def test_each_row_follows_its_own_parameters() -> None:
    given = scores(4, spread=0.5)
    parameters = rows((0.0, 0.5, 3), (1.0, 1.0, 1), (1.0, 1e-6, 0), (5.0, 1.0, 2))

    chosen = choose(given, parameters)

    assert chosen[:3].tolist() == given[:3].argmax(-1).tolist()
    assert int(chosen[3]) in given[3].topk(2).indices.tolist()


def test_temperature_0_takes_the_first_of_the_likeliest() -> None:
    assert choose(torch.tensor([[1.0, 4.0, 4.0]]), rows((0.0, 1.0, 0))).tolist() == [1]


@pytest.mark.parametrize("temperature", [1e-45, 1e-30, 1e-3])
@pytest.mark.parametrize(("top_p", "top_k"), [(1.0, 0), (0.9, 0), (0.9, 40)])
def test_the_smallest_temperature_is_nearly_greedy(
    temperature: float, top_p: float, top_k: int
) -> None:
    given = scores(4, spread=30)

    chosen = choose(given, rows(*[(temperature, top_p, top_k)] * 4))

    assert torch.equal(chosen, given.argmax(-1))


def test_a_top_k_beyond_the_vocabulary_is_off() -> None:
    given = scores(1, vocabulary=5)

    assert choose(given, rows((1.0, 0.9, 10**6))).numel() == 1


def test_the_same_generator_draws_the_same_tokens() -> None:
    given, parameters = scores(8, spread=0.1), rows(*[(1.0, 0.95, 0)] * 8)

    first, second, other = (
        choose(given, parameters, torch.Generator().manual_seed(seed)).tolist()
        for seed in (1, 1, 2)
    )

    assert first == second
    assert first != other


def test_log_probabilities_are_those_of_the_model_itself() -> None:
    given = scores(3)
    chosen = torch.tensor([5, 6, 7])

    own, tokens, best = logprobs(given, chosen, 4)

    exact = given.log_softmax(-1)
    torch.testing.assert_close(own, exact[torch.arange(3), chosen])
    torch.testing.assert_close(best, exact.topk(4).values)
    assert torch.equal(tokens, given.topk(4).indices)


def test_only_rows_that_asked_are_reported_and_every_choice_wins_an_argmax() -> None:
    sampler = Sampler(rows=4, device=torch.device("cpu"))
    neutral = {"temperature": 0.0, "top_p": 1.0, "top_k": 0}
    asked: list[Any] = [
        SimpleNamespace(
            state=SimpleNamespace(
                request_id=name, logit_processor_kwargs=neutral | {"logprobs": name == "b"}
            )
        )
        for name in "abc"
    ]
    given = scores(3)
    greedy, exact = given.argmax(-1), given.log_softmax(-1)

    sampler.prepare_tensor_args(asked)
    processed = sampler(given, torch.zeros(3))
    sampler.collect()
    sampler.collect()

    assert torch.equal(processed.argmax(-1), greedy)
    (report,) = sampler.reports.pop("b")
    assert not sampler.reports
    assert report.token == int(greedy[1])
    assert report.logprob == pytest.approx(float(exact[1, greedy[1]]), abs=1e-5)
    assert [token for token, _ in report.top] == exact[1].topk(20).indices.tolist()


def test_a_row_that_is_not_a_number_is_told_and_the_others_go_on() -> None:
    sampler = Sampler(rows=4, device=torch.device("cpu"))
    asked: list[Any] = [
        SimpleNamespace(
            state=SimpleNamespace(
                request_id=name,
                logit_processor_kwargs={"temperature": 0.9, "top_p": top_p, "top_k": 0},
            )
        )
        for name, top_p in (("a", 1.0), ("b", 1.0), ("c", 0.9))
    ]
    given = scores(3)
    given[1, 7], given[2, 9] = torch.nan, torch.inf

    sampler.prepare_tensor_args(asked)
    sampler(given, torch.zeros(3))
    sampler.collect()

    assert sampler.broken == {"b", "c"}
    sampler.forget("b")
    assert sampler.broken == {"c"}
