"""Named models and several turns, over HTTP by plain forms and by htmx."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings

from arena.models import Battle, Vote
from arena.rate_limits import rate_limits_parse
from tests.frontend.forms import PAIR, begun, gone_on, voted
from tests.frontend.test_pages import NAMES, PROMPT, ballot_of, shown, started
from tests.scripted_endpoint import Fault, Gate, ScriptedEndpoint


def test_two_named_models_are_shown_from_the_start_and_their_votes_do_not_count(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Hello ", gate, "there."]
    form = client.get("/side-by-side/").content.decode()
    path = begun(client, "/side-by-side/", **PAIR)

    generating = client.get(path).content.decode()
    gate.open()
    votable = shown(client, path, 'id="ballot"')
    after = voted(client, path, "a")

    assert form.count('<option value="alpha-7b">Alpha Seven</option>') == 2
    assert generating.index("Beta Nine</a>") < generating.index("Alpha Seven</a>")
    assert "this vote does not count for the ratings" in votable
    assert "You preferred Beta Nine." in after
    assert "You chose the assistants by name" in after
    assert Vote.objects.get().exclusion == "named"


def test_a_chat_has_one_pane_and_no_ballot_and_goes_on(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = begun(client, "/chat/", model_a="alpha-7b")
    first = shown(client, path, "Your next prompt")
    two_models.scripts["alpha-7b"] = ["More of it."]

    gone_on(client, path)
    second = shown(client, path, "More of it.")

    assert first.count('class="answer"') == 1
    assert "Alpha Seven</a>" in first
    assert "Assistant A" not in first
    assert 'id="ballot"' not in second
    assert second.count('class="answer"') == 2
    assert two_models.requests[-1]["messages"][-1]["content"] == "And why at night?"


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"model_a": "alpha-7b", "model_b": "alpha-7b"}, "two different models"),
        ({"model_a": "alpha-7b"}, "can answer now"),
        ({"model_a": "alpha-7b", "model_b": "none"}, "can answer now"),
    ],
)
def test_a_choice_of_models_that_is_refused_stays_in_the_form(
    two_models: ScriptedEndpoint, client: Client, chosen: dict[str, str], sentence: str
) -> None:
    response = client.post("/side-by-side/", {**PROMPT, **chosen})

    html = response.content.decode()
    assert response.status_code == 400
    assert sentence in html
    assert f"{PROMPT['prompt']}</textarea>" in html
    assert '<option value="alpha-7b" selected>' in html
    assert not Battle.objects.exists()


def test_a_link_may_choose_the_models_and_the_prompt(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    html = client.get("/chat/", {"model_a": "beta-9b", "prompt": "Hello?"}).content.decode()

    assert '<option value="beta-9b" selected>' in html
    assert "Hello?</textarea>" in html


@pytest.mark.parametrize("path", ["/side-by-side/", "/chat/"])
@pytest.mark.django_db
def test_where_no_model_answers_there_is_nothing_to_choose(client: Client, path: str) -> None:
    html = client.get(path).content.decode()

    assert "No model can answer now" in html
    assert "<select" not in html


def test_every_turn_is_shown_and_has_a_ballot_of_its_own(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    first = shown(client, path, 'id="ballot"')
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Second ", gate, "answer."]

    location = gone_on(client, path)
    generating = client.get(path).content.decode()
    gate.open()
    second = shown(client, path, 'id="ballot"')
    after = voted(client, path, "tie", turn=1)

    assert location == f"{path}#turn-1"
    assert "Your next prompt" not in generating
    assert PROMPT["prompt"] in second
    assert "And why at night?" in second
    assert "Left without a vote." in second
    assert ballot_of(first, "a")["ballot"] not in second
    assert not any(name in second for name in NAMES)
    assert after.count('class="model-name"') == 4
    assert "Your vote counts." in after


def test_after_the_reveal_the_conversation_goes_on_and_later_votes_do_not_count(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    revealed = voted(client, path, "a")

    gone_on(client, path)
    second = shown(client, path, 'id="ballot"')
    after = voted(client, path, "b", turn=1)

    assert "Later votes in it do not count." in revealed
    assert "You know the names by now" in second
    assert "You preferred" in second
    assert "An earlier vote had already shown the names" in after
    assert sorted(Vote.objects.values_list("exclusion", flat=True)) == ["", "revealed"]


def test_a_next_prompt_that_is_refused_stays_in_its_field(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Hello ", gate]
    path = started(client)

    early = client.post(f"{path}turns/", {"prompt": "too early"})
    gate.open()
    shown(client, path, 'id="ballot"')
    empty = client.post(f"{path}turns/", {"prompt": " "})
    with override_settings(ARENA_RATE_LIMITS=rate_limits_parse("turns:voter=1/60")):
        gone_on(client, path)
        shown(client, path, 'id="ballot"')
        late = client.post(f"{path}turns/", {"prompt": "too much"})

    assert early.status_code == 409
    assert "still being written" in early.content.decode()
    assert "too early</textarea>" in early.content.decode()
    assert empty.status_code == 400
    assert "Please type a prompt first." in empty.content.decode()
    assert 'aria-invalid="true"' in empty.content.decode()
    assert late.status_code == 429
    assert late["Retry-After"]
    assert "too much</textarea>" in late.content.decode()


def test_both_answer_again_and_the_old_ballot_is_void(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    path = started(client)
    before = shown(client, path, "Answer again")
    two_models.scripts["alpha-7b"] = two_models.scripts["beta-9b"] = ["Said anew."]

    client.post(f"{path}retry/")
    anew = shown(client, path, 'id="ballot"')
    late = client.post(f"{path}vote/", ballot_of(before, "a"))

    assert anew.count("Said anew.") == 2
    assert late.status_code == 400
    assert "Please look at them again." in late.content.decode()


def test_a_stopped_answer_is_marked_and_its_vote_does_not_count(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    gate = Gate()
    two_models.scripts["alpha-7b"] = ["Enough ", gate, "of this"]
    path = started(client)
    shown(client, path, "Enough")

    client.post(f"{path}stop/")
    votable = shown(client, path, 'id="ballot"')
    after = voted(client, path)

    assert votable.count("Stopped here, before its end.") == 1
    assert "You stopped an answer before its end, so this vote will not count." in votable
    assert "An answer was stopped before its end, so this vote is kept but not counted." in after


def test_after_a_retry_of_a_broken_answer_the_voter_knows_that_the_vote_will_not_count(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    two_models.scripts["alpha-7b"] = ["Half of ", Fault.CUT]
    path = started(client)
    shown(client, path, "Retry with the same pair")
    two_models.scripts["alpha-7b"] = ["All of it."]

    client.post(f"{path}retry/")
    votable = shown(client, path, 'id="ballot"')
    after = voted(client, path)

    assert "An answer was broken before, so this vote will not count." in votable
    assert "An answer had been broken, so this vote is kept but not counted." in after


def test_an_assistant_that_names_itself_is_told_of_before_the_vote(
    two_models: ScriptedEndpoint, client: Client
) -> None:
    two_models.scripts["alpha-7b"] = ["I am Alpha Seven, made by Acme Intelligence."]
    path = started(client)

    html = shown(client, path, 'id="ballot"')

    notice = "This assistant named itself: this vote will not count. You may go on."
    assert html.count(notice) == 1


def test_a_long_conversation_asks_no_more_questions_than_a_short_one(
    two_models: ScriptedEndpoint, client: Client, django_assert_max_num_queries: Any
) -> None:
    path = started(client)
    for turn in range(3):
        shown(client, path, 'id="ballot"')
        gone_on(client, path, f"And {turn}?")
    voted(client, path, turn=3)

    with django_assert_max_num_queries(12):
        client.get(path)


def test_a_broken_chat_can_be_retried(two_models: ScriptedEndpoint, client: Client) -> None:
    two_models.scripts["alpha-7b"] = ["I begin", Fault.CUT]
    path = begun(client, "/chat/", model_a="alpha-7b")
    broken = shown(client, path, "The answer is missing or broken.")
    two_models.scripts["alpha-7b"] = ["Now it works."]

    client.post(f"{path}retry/")

    assert "same pair" not in broken
    assert "Now it works." in shown(client, path, "Your next prompt")


@pytest.mark.django_db
def test_where_a_proof_of_work_is_asked_for_the_form_says_so(client: Client) -> None:
    plain = client.get("/").content.decode()
    with override_settings(ARENA_CHALLENGE=1_000):
        guarded = client.get("/").content.decode()

    assert "data-challenge-url" not in plain
    assert 'data-challenge-url="/api/v1/challenge/"' in guarded
    assert "needs JavaScript" in guarded
