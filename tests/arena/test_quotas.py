"""What one voter, or one network, may have generated."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from arena.errors import RateLimitedError
from arena.limits import network_key
from arena.models import Answer
from arena.quotas import RETRY_SECONDS, generation_allow
from arena.rate_limits import concurrency_limits_parse, rate_limits_parse
from tests.arena.past_answers import answer, language_model
from tests.arena.voter import wait_until
from tests.scripted_endpoint import Gate

ADDRESS = "192.0.2.1"
NETWORK = network_key(ADDRESS)
ME = uuid.UUID(int=1)


@pytest.fixture
def model(db):
    return language_model("alpha", sampling={"max_tokens": 100})


def wait(voter_id=ME, address=ADDRESS):
    """The wait that was asked for, or None where a turn may be answered."""
    try:
        with transaction.atomic():
            generation_allow(voter_id=voter_id, address=address)
    except RateLimitedError as refused:
        return refused.retry_after
    return None


def test_a_voter_has_so_many_battles_answered_at_once(settings, model):
    settings.ARENA_CONCURRENT_BATTLES = concurrency_limits_parse("voter=2")
    answer(model, voter_id=ME)
    making = [answer(model, voter_id=ME, state=state) for state in ("pending", "streaming")]

    assert wait()
    assert wait(uuid.uuid4()) is None
    Answer.objects.filter(pk=making[0].pk).update(state="complete")
    assert wait() is None


def test_both_sides_of_a_battle_are_one_battle(settings, two_models, voter):
    settings.ARENA_CONCURRENT_BATTLES = concurrency_limits_parse("voter=2")
    gate = Gate()
    two_models.scripts = {"alpha-7b": ["Hello", gate], "beta-9b": ["Hi", gate]}
    try:
        battle_ids = [voter.start(), voter.start()]
        with pytest.raises(RateLimitedError):
            voter.start()
    finally:
        gate.open()

    for battle_id in battle_ids:
        voter.ended(battle_id)
    voter.start()


def test_a_network_has_so_many_battles_answered_at_once_whatever_voters_it_invents(settings, model):
    settings.ARENA_CONCURRENT_BATTLES = concurrency_limits_parse("network=2")
    for _ in range(2):
        answer(model, network=NETWORK, state="streaming")

    assert wait(address="192.0.2.200")
    assert wait(address="203.0.113.1") is None


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_one_moment_the_second_sees_the_answer_of_the_first(settings):
    settings.ARENA_CONCURRENT_BATTLES = concurrency_limits_parse("voter=1 network=1")
    model = language_model("alpha")
    may_commit = threading.Event()
    holds = threading.Event()
    outcomes = {}

    def first():
        with transaction.atomic():
            generation_allow(voter_id=ME, address=ADDRESS)
            holds.set()
            may_commit.wait(20)
            answer(model, voter_id=ME, network=NETWORK, state="pending")
        connection.close()

    def second():
        outcomes["second"] = wait()
        connection.close()

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert holds.wait(20)
    threads[1].start()
    wait_until(_somebody_waits_for_a_lock, "the second request waits for the first")
    may_commit.set()
    for thread in threads:
        thread.join()

    assert outcomes["second"]


def _somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_the_locks_would_hold_nothing():
    with pytest.raises(TransactionManagementError):
        generation_allow(voter_id=ME, address=ADDRESS)


@pytest.mark.parametrize(
    ("limits", "theirs"),
    [
        ("tokens:voter=1000/3600", {"voter_id": ME}),
        ("tokens:network=1000/3600", {"network": NETWORK}),
    ],
)
def test_tokens_of_prompts_and_answers_add_up_to_a_limit(settings, model, limits, theirs):
    settings.ARENA_RATE_LIMITS = rate_limits_parse(limits)
    answer(model, prompt_tokens=900, completion_tokens=900)
    answer(model, prompt_tokens=900, completion_tokens=900, seconds_ago=3601, **theirs)
    answer(model, prompt_tokens=300, completion_tokens=200, seconds_ago=3000, **theirs)
    answer(model, prompt_tokens=300, completion_tokens=199, seconds_ago=1200, **theirs)
    assert wait() is None

    answer(model, prompt_tokens=1, completion_tokens=0, seconds_ago=60, **theirs)

    # The oldest that still counts leaves the window in ten minutes.
    assert 595 <= wait() <= 600


def test_that_a_network_has_tokens_left_is_believed_for_some_seconds_of_a_long_window(
    settings, model
):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("tokens:network=1000/86400")
    assert wait() is None
    answer(model, network=NETWORK, prompt_tokens=0, completion_tokens=1000)

    believed = wait()
    cache.clear()
    waits = [wait(), wait()]

    assert believed is None
    assert all(seconds > 86_000 for seconds in waits)


def test_who_used_far_too_much_waits_until_enough_of_it_is_out_of_the_window(settings, model):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("tokens:voter=1000/3600")
    for seconds_ago in (3000, 2000, 1000, 500):
        answer(model, voter_id=ME, prompt_tokens=0, completion_tokens=400, seconds_ago=seconds_ago)

    # 1,600 tokens: the two oldest have to leave, and 800 stay.
    assert 1595 <= wait() <= 1600


def test_what_a_stopped_answer_took_is_estimated_from_the_whole_conversation(settings, model):
    # 3 bytes a token: 100 for the prompt, 100 for the answer, then both again as history.
    settings.ARENA_RATE_LIMITS = rate_limits_parse("tokens:voter=600/3600")
    first = answer(model, voter_id=ME, state="stopped", prompt="p" * 300, text="t" * 300)
    assert wait() is None

    answer(model, battle=first.turn.battle, state="stopped", prompt="p" * 300, text="t" * 297)
    assert wait() is None
    Answer.objects.exclude(pk=first.pk).update(text="t" * 298)

    assert wait()


def test_an_answer_that_failed_without_a_word_costs_its_voter_nothing(settings, model):
    settings.ARENA_RATE_LIMITS = rate_limits_parse("tokens:voter=10/3600")
    answer(model, voter_id=ME, state="failed", error="model_busy", text="", prompt="p" * 300)

    assert wait() is None


@pytest.mark.parametrize(("limit", "passes"), [(50, False), (101, False), (102, True)])
def test_an_answer_in_the_making_counts_with_all_it_may_become(settings, model, limit, passes):
    # One token for the prompt, and the hundred that the model may say at most.
    settings.ARENA_RATE_LIMITS = rate_limits_parse(f"tokens:voter={limit}/3600")
    answer(model, voter_id=ME, state="streaming", text="Hello.")

    # It will have ended long before it leaves the window.
    assert wait() == (None if passes else RETRY_SECONDS)


def test_with_no_limits_nothing_is_asked_of_the_database(django_assert_num_queries, db):
    with transaction.atomic(), django_assert_num_queries(0):
        generation_allow(voter_id=ME, address=ADDRESS)
