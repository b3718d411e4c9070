"""What providers cost in a day, and the models that are then no longer asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.utils import timezone

from arena.errors import SpendCapError
from arena.models import Answer, Battle, Turn, Voter
from arena.spend_caps import spend_caps_parse
from arena.spending import models_over_cap, spend_allow, spend_by_host
from tests.arena.past_answers import answer, language_model

HOST = "api.acme.example"

pytestmark = pytest.mark.django_db


@pytest.fixture
def cap(settings):
    settings.ARENA_SPEND_CAPS = spend_caps_parse(f"{HOST}=1")


@pytest.fixture
def priced(cap):
    """A model of the capped provider: a dollar for a million tokens in, ten for a million out."""
    return language_model("dear", HOST, price_in=1, price_out=10, sampling={"max_tokens": 50_000})


def spent():
    return spend_by_host(now=timezone.now())[HOST]


def over():
    cache.clear()
    return models_over_cap()


def test_tokens_at_their_prices_add_up_to_the_cap(priced):
    answer(priced, prompt_tokens=400_000, completion_tokens=50_000)
    assert spent() == Decimal("0.9")
    assert over() == frozenset()

    answer(priced, prompt_tokens=0, completion_tokens=10_000)

    assert over() == {priced.pk}


def test_both_sides_of_a_battle_cost(priced):
    other = language_model("other", HOST, price_in=0, price_out=20)
    battle = Battle.objects.create(
        voter=Voter.objects.create(), model_a=priced, model_b=other, probability=1,
        consent_version="1",
    )  # fmt: skip
    turn = Turn.objects.create(battle=battle, index=0, prompt="Hi?")
    for side in ("a", "b"):
        Answer.objects.create(
            turn=turn, side=side, state="complete", text="Hello.",
            prompt_tokens=0, completion_tokens=10_000,
        )  # fmt: skip

    assert spent() == Decimal("0.3")


def test_a_day_ends_at_midnight_utc(priced):
    made = answer(priced, prompt_tokens=0, completion_tokens=500_000)
    midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    Answer.objects.filter(pk=made.pk).update(created_at=midnight - timedelta(microseconds=1))
    assert over() == frozenset()

    Answer.objects.filter(pk=made.pk).update(created_at=midnight)

    assert over() == {priced.pk}
    assert spend_by_host(now=datetime(2000, 1, 1, tzinfo=UTC))[HOST] == 5
    with pytest.raises(SpendCapError) as refused:
        spend_allow(model_ids=[priced.pk])
    left = (midnight + timedelta(days=1) - timezone.now()).total_seconds()
    assert abs((refused.value.retry_after or 0) - left) < 60


def test_the_other_models_of_the_provider_stop_too_and_those_of_others_go_on(settings, priced):
    settings.ARENA_SPEND_CAPS = spend_caps_parse(f"{HOST}=1 api.other.example=1")
    sibling = language_model("sibling", HOST, price_in=0, price_out=0)
    everywhere = language_model("everywhere", HOST, "api.other.example", price_in=0, price_out=0)
    elsewhere = language_model("elsewhere", "api.other.example", price_in=0, price_out=0)
    own = language_model("own", "")
    answer(priced, prompt_tokens=1_000_000, completion_tokens=0)

    assert over() == {priced.pk, sibling.pk, everywhere.pk}
    spend_allow(model_ids=[elsewhere.pk, own.pk])


def test_answers_in_the_making_are_reserved_at_their_longest(priced):
    for _ in range(2):
        answer(priced, state="pending", text="")

    assert over() == {priced.pk}
    # Two prompts of one token, and twice the 50,000 that the model may say.
    assert spent() == Decimal("1.000002")

    Answer.objects.update(state="complete", text="ok", prompt_tokens=1, completion_tokens=1)
    assert over() == frozenset()


def test_a_stopped_answer_costs_what_it_seems_to_have_taken(priced):
    answer(priced, state="stopped", prompt="p" * 300, text="t" * 3000)

    assert spent() == Decimal("0.0101")


def test_a_cap_of_nothing_means_that_nothing_is_asked(settings, priced):
    settings.ARENA_SPEND_CAPS = spend_caps_parse(f"{HOST}=0")

    assert over() == {priced.pk}


def test_without_caps_nothing_is_asked_of_the_database(django_assert_num_queries, settings):
    settings.ARENA_SPEND_CAPS = spend_caps_parse("")

    with django_assert_num_queries(0):
        assert models_over_cap() == frozenset()


def test_who_is_over_is_asked_in_few_queries_and_remembered(priced, django_assert_max_num_queries):
    for number in range(5):
        model = language_model(f"model-{number}", HOST, price_in=1, price_out=1)
        answer(model, prompt_tokens=1, completion_tokens=1)

    with django_assert_max_num_queries(6):
        models_over_cap()
    with django_assert_max_num_queries(0):
        models_over_cap()


def test_the_grammar_of_caps():
    assert spend_caps_parse("") == {}
    assert spend_caps_parse("API.openai.com=25 api.anthropic.com=0.5 [::1]=1") == {
        "api.openai.com": 25,
        "api.anthropic.com": Decimal("0.5"),
        "::1": 1,
    }


@pytest.mark.parametrize(
    "text", ["api.openai.com", "a=", "a=-1", "a=nan", "a=inf", "a=$5", "a/v1=5", "a=1 a=2"]
)
def test_a_cap_that_cannot_be_read_is_named(text):
    with pytest.raises(ValueError, match=r"ARENA_SPEND_CAPS: '?a"):
        spend_caps_parse(text)
