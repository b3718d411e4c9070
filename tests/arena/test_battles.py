"""A battle from prompt to reveal, and every way for it to go wrong."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from datetime import timedelta

import pytest
from django.utils import timezone

from arena import errors
from arena.failures import ERROR_CODES
from arena.models import Answer, Battle, Turn
from arena.runner import runner
from arena.services.answers import answers_interrupt_silent
from arena.services.battles import battle_regenerate, battle_start, battle_stop
from inference.errors import GenerationError
from inference.models import Endpoint, LanguageModel
from tests.arena.voter import wait_until
from tests.scripted_endpoint import Fault, Gate

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_battle_streams_both_answers_and_is_votable_when_both_are_complete(voter):
    battle_id = voter.start()

    view = voter.ended(battle_id)

    assert view.state == "votable"
    texts = {answer.text for answer in view.turns[0].answers.values()}
    assert texts == {"Hello from side one.", "Hi."}
    assert view.models is None


def test_the_drawn_probability_and_pool_are_stored(voter):
    battle = Battle.objects.get(pk=voter.start())

    assert battle.probability == 1.0
    assert battle.pool == sorted(LanguageModel.objects.values_list("pk", flat=True))
    assert battle.sampler == "uniform/1"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.STATUS_500, "model_unavailable"),
        (Fault.STATUS_429, "model_busy"),
        (Fault.CONTEXT, "conversation_too_long"),
        (Fault.HTML, "model_unavailable"),
        (Fault.GARBAGE, "model_unavailable"),
        (Fault.CUT, "model_unavailable"),
        (Fault.ERROR_EVENT, "model_refused"),
        (Fault.STATUS_400, "model_refused"),
        (Fault.ENDLESS, "endless_answer"),
    ],
)
def test_a_broken_answer_fails_the_battle_and_takes_no_vote(voter, two_models, fault, code):
    two_models.scripts["alpha-7b"] = [fault]

    battle_id = voter.start()
    view = voter.ended(battle_id)

    failed = [answer for answer in view.turns[0].answers.values() if answer.state == "failed"]
    assert view.state == "failed"
    assert [answer.error["code"] for answer in failed] == [code]
    assert "provider" not in json.dumps(asdict(view), default=str)
    with pytest.raises(errors.NotVotableError):
        voter.vote(battle_id)


@pytest.mark.parametrize("script", [[], [" \n "]])
def test_an_answer_that_says_nothing_fails(voter, two_models, script):
    two_models.scripts["beta-9b"] = script

    view = voter.ended(voter.start())

    assert view.state == "failed"
    assert "empty_answer" in {a.error and a.error["code"] for a in view.turns[0].answers.values()}


def test_an_answer_that_never_comes_fails_in_its_time(voter, two_models):
    two_models.scripts["beta-9b"] = [Fault.HANG]
    Endpoint.objects.update(first_token_timeout=0.2)

    view = voter.ended(voter.start())

    assert "model_timeout" in {a.error and a.error["code"] for a in view.turns[0].answers.values()}
    wait_until(lambda: two_models.open_streams == 0, "the upstream connection is given back")


def test_characters_that_the_database_cannot_hold_are_replaced(voter, two_models):
    two_models.scripts["beta-9b"] = ["a\x00b", "\ud83d", "c"]

    view = voter.ended(voter.start())

    assert view.state == "votable"
    assert "a\ufffdb\ufffdc" in {answer.text for answer in view.turns[0].answers.values()}


def test_a_model_that_fails_leaves_the_pool_at_once(voter, two_models):
    two_models.scripts["alpha-7b"] = [Fault.STATUS_500]
    voter.ended(voter.start())

    assert list(Endpoint.objects.filter(is_up=True).values_list("name", flat=True)) == ["beta-9b"]
    assert "provider-internal" in Endpoint.objects.get(is_up=False).problem


def test_another_endpoint_answers_for_one_that_is_gone_which_is_noted(voter, two_models):
    sound = Endpoint.objects.get(name="alpha-7b")
    gone = Endpoint.objects.create(
        language_model=sound.language_model,
        base_url="http://127.0.0.1:1/v1",
        name="alpha-7b",
        is_up=True,
    )
    # The sound one is asked second.
    Endpoint.objects.filter(pk=sound.pk).update(is_up=False)

    view = voter.ended(voter.start())

    assert view.state == "votable"
    wait_until(lambda: not Endpoint.objects.get(pk=gone.pk).is_up, "the outage is noted")
    assert "ConnectError" in Endpoint.objects.get(pk=gone.pk).problem
    assert Endpoint.objects.get(pk=sound.pk).problem == ""


def test_operators_are_told_of_every_try_and_where_it_was(voter, two_models):
    refusing = Endpoint.objects.get(name="alpha-7b")
    Endpoint.objects.create(
        language_model=refusing.language_model,
        base_url="http://127.0.0.1:1/v1",
        name="alpha-7b",
        is_up=True,
    )
    # The one that refuses is asked second.
    Endpoint.objects.filter(pk=refusing.pk).update(is_up=False)
    two_models.scripts["alpha-7b"] = [Fault.STATUS_400]

    voter.ended(voter.start())

    last, first = Answer.objects.get(error="model_refused").error_detail.split("; before that ")
    assert last.startswith("RequestRefusedError: 400")
    assert last.endswith(f"(alpha-7b at {refusing.base_url})")
    assert first.startswith("EndpointUnavailableError: ConnectError")
    assert first.endswith("(alpha-7b at http://127.0.0.1:1/v1)")


def test_a_private_address_is_for_operators_and_unavailable_for_voters(voter, two_models, settings):
    settings.ENDPOINT_NETWORKS = ()

    view = voter.ended(voter.start())

    failed = view.turns[0].answers.values()
    assert {answer.error and answer.error["code"] for answer in failed} == {"model_unavailable"}
    assert "127.0.0.1" not in json.dumps(asdict(view), default=str)
    assert all("ENDPOINT_NETWORKS" in endpoint.problem for endpoint in Endpoint.objects.all())


def test_reasoning_is_no_part_of_the_answer(voter, two_models):
    two_models.scripts["beta-9b"] = ["<th", "ink>Which one am I?</think>", "\n\nHi."]

    view = voter.ended(voter.start())

    assert "Hi." in {answer.text for answer in view.turns[0].answers.values()}
    assert "Which one" not in json.dumps(asdict(view), default=str)


def test_every_error_of_the_client_has_a_code_of_its_own_kind():
    kinds = [GenerationError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        assert kind is GenerationError or any(parent in ERROR_CODES for parent in kind.__mro__)


def test_a_prompt_that_a_server_refuses_does_not_take_its_model_out_of_the_pool(voter, two_models):
    two_models.scripts["alpha-7b"] = [Fault.STATUS_400]
    voter.ended(voter.start())

    assert Endpoint.objects.filter(is_up=True).count() == 2


def test_a_retry_asks_the_failed_side_again_and_keeps_the_pair(voter, two_models):
    two_models.scripts["alpha-7b"] = [Fault.STATUS_500]
    battle_id = voter.start()
    before = Battle.objects.get(pk=battle_id)
    voter.ended(battle_id)
    two_models.scripts["alpha-7b"] = ["Better now."]

    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)

    view = voter.ended(battle_id)
    after = Battle.objects.get(pk=battle_id)
    assert view.state == "votable"
    assert {a.text for a in view.turns[0].answers.values()} == {"Better now.", "Hi."}
    assert (after.model_a_id, after.model_b_id) == (before.model_a_id, before.model_b_id)
    assert sorted(Answer.objects.values_list("attempt", flat=True)) == [0, 0, 1]


def test_regenerating_a_votable_battle_asks_both_sides_and_keeps_the_old_answers(voter):
    battle_id = voter.start()
    voter.ended(battle_id)

    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)

    assert voter.ended(battle_id).state == "votable"
    assert sorted(Answer.objects.values_list("attempt", flat=True)) == [0, 0, 1, 1]


def test_no_retry_after_the_vote_or_in_the_middle(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Wait ", gate, "for it."]
    battle_id = voter.start()
    gate.reached.wait(10)

    with pytest.raises(errors.NotRetryableError, match="still being written"):
        battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)
    gate.open()
    voter.ended(battle_id)
    voter.vote(battle_id)

    with pytest.raises(errors.NotRetryableError, match="voted"):
        battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)


def test_stop_keeps_the_text_and_lets_the_voter_vote(voter, two_models):
    gates = [Gate(), Gate()]
    two_models.scripts["alpha-7b"] = ["So far ", gates[0]]
    two_models.scripts["beta-9b"] = ["Thus ", gates[1]]
    battle_id = voter.start()
    for gate in gates:
        gate.reached.wait(10)
    wait_until(lambda: all(a.text for a in voter.view(battle_id).turns[0].answers.values()), "text")

    battle_stop(voter_id=voter.id, battle_id=battle_id)

    view = voter.ended(battle_id)
    assert {a.state for a in view.turns[0].answers.values()} == {"stopped"}
    assert view.state == "votable"
    voter.vote(battle_id)
    with pytest.raises(errors.NotGeneratingError):
        battle_stop(voter_id=voter.id, battle_id=battle_id)


def test_a_stop_that_another_process_took_is_obeyed_within_a_save(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["So far ", gate]
    battle_id = voter.start()
    gate.reached.wait(10)

    Turn.objects.update(stop_requested_at=timezone.now())

    states = {a.state for a in voter.ended(battle_id).turns[0].answers.values()}
    assert states == {"stopped", "complete"}


def test_answers_that_nobody_watches_are_abandoned(voter, two_models, settings):
    settings.ARENA_ORPHAN_SECONDS = 0.5
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["So far ", gate]
    battle_id = voter.start()

    wait_until(lambda: Answer.objects.filter(state=Answer.State.ABANDONED).exists(), "abandonment")

    assert voter.view(battle_id).state == "abandoned"
    with pytest.raises(errors.NotVotableError):
        voter.vote(battle_id)


def test_the_answers_of_a_dead_process_are_shown_as_interrupted_and_can_be_retried(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    long_ago = timezone.now() - timedelta(seconds=60)
    Answer.objects.filter(side="a").update(
        state=Answer.State.STREAMING, text="Half an ans", saved_at=long_ago, finished_at=None
    )

    assert answers_interrupt_silent() == 1

    answer = voter.view(battle_id).turns[0].answers["a"]
    assert (answer.state, answer.text) == ("failed", "Half an ans")
    assert answer.error["code"] == "interrupted"
    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)
    assert voter.ended(battle_id).state == "votable"


def streaming(voter, battle_id, text):
    wait_until(
        lambda: text in [a.text for a in voter.view(battle_id).turns[0].answers.values()], text
    )


def test_an_answer_that_was_ended_behind_the_runners_back_is_never_told_complete(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["So far ", gate, "and on."]
    battle_id = voter.start()
    streaming(voter, battle_id, "So far ")

    Answer.objects.filter(state__in=Answer.GENERATING).update(
        state="failed", error="interrupted", finished_at=timezone.now()
    )

    wait_until(lambda: runner.live(battle_id) is None, "the runner gives up by itself")
    assert voter.view(battle_id).state == "failed"
    assert two_models.open_streams == 0
    assert not Answer.objects.filter(text__contains="and on.").exists()


def test_a_retry_over_a_turn_that_still_runs_leaves_nothing_running(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["So far ", gate]
    battle_id = voter.start()
    streaming(voter, battle_id, "So far ")
    Answer.objects.filter(state__in=Answer.GENERATING).update(
        state="failed", error="interrupted", finished_at=timezone.now()
    )
    two_models.scripts["alpha-7b"] = ["Anew."]

    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)

    view = voter.ended(battle_id)
    assert {a.text for a in view.turns[0].answers.values()} == {"Anew.", "Hi."}
    wait_until(lambda: two_models.open_streams == 0, "the first stream is given back")
    runner.close()


def test_a_late_stop_does_not_end_the_retry(voter, two_models):
    gate = Gate()
    battle_id = voter.start()
    voter.ended(battle_id)
    old = list(Answer.objects.values_list("pk", flat=True))
    two_models.scripts["alpha-7b"] = ["Anew ", gate, "to the end."]
    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)
    streaming(voter, battle_id, "Anew ")

    runner.stop(battle_id, answer_ids=old)
    gate.open()

    states = {a.state for a in voter.ended(battle_id).turns[0].answers.values()}
    assert states == {"complete"}


def test_live_text_of_another_attempt_is_never_shown(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["OLD ", gate]
    battle_id = voter.start()
    streaming(voter, battle_id, "OLD ")
    side = next(s for s, a in voter.view(battle_id).turns[0].answers.items() if a.text == "OLD ")

    Answer.objects.create(
        turn=Turn.objects.get(), side=side, attempt=1, state="complete", text="NEW"
    )

    assert voter.view(battle_id).turns[0].answers[side].text == "NEW"


@pytest.mark.parametrize(
    "odd",
    [
        {"finish_reason": 1},
        {"finish_reason": "st\x00op"},
        {"finish_reason": "x" * 200},
        {"usage": {"completion_tokens": "many", "prompt_tokens": -1}},
        {"usage": {"completion_tokens": 10**30}},
    ],
)
def test_odd_metadata_costs_no_answer(voter, two_models, odd):
    two_models.odd = odd

    assert voter.ended(voter.start()).state == "votable"


def test_a_process_that_ends_in_order_marks_its_answers_as_interrupted(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Half ", gate]
    battle_id = voter.start()
    streaming(voter, battle_id, "Half ")

    runner.close()

    states = {a.state for a in voter.view(battle_id).turns[0].answers.values()}
    assert "failed" in states
    assert Answer.objects.filter(error="interrupted", text="Half ").exists()


def test_partial_text_is_saved_while_it_streams(voter, two_models):
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Part one. ", gate, "Part two."]
    battle_id = voter.start()

    wait_until(lambda: Answer.objects.filter(text="Part one. ").exists(), "the partial save")

    gate.open()
    assert voter.ended(battle_id).state == "votable"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"mode": "duel"}, errors.InvalidInputError),
        ({"mode": None}, errors.InvalidInputError),
        ({"consent": False}, errors.ConsentMissingError),
        ({"consent": "yes"}, errors.ConsentMissingError),
        ({"prompt": ""}, errors.InvalidPromptError),
        ({"prompt": 5}, errors.InvalidPromptError),
    ],
)
def test_a_malformed_start_is_refused_and_leaves_nothing(voter, changed, error):
    arguments = {"mode": "battle", "prompt": "Hello?", "consent": True, **changed}

    with pytest.raises(error):
        battle_start(voter_id=uuid.uuid4(), address="192.0.2.1", **arguments)
    assert not Battle.objects.exists()


@pytest.mark.parametrize("status", ["paused", "retired"])
def test_a_battle_needs_two_active_models(voter, status):
    LanguageModel.objects.filter(slug="beta-9b").update(
        status=status, retired_on="2026-01-01", retired_reason="old"
    )

    with pytest.raises(errors.NoLiveModelsError):
        voter.start()


def test_an_endpoint_that_came_back_is_found_by_the_start_itself(voter):
    Endpoint.objects.update(is_up=False, checked_at=None)

    assert voter.ended(voter.start()).state == "votable"


def test_a_retired_model_keeps_its_battles(voter):
    battle_id = voter.start()
    voter.ended(battle_id)
    voter.vote(battle_id)

    LanguageModel.objects.update(status="retired", retired_on="2026-01-01", retired_reason="old")

    assert voter.view(battle_id).state == "voted"
