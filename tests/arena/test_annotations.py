"""Voted turns are annotated once, in the ledger's order, whatever a tagger does."""

from __future__ import annotations

import threading
from dataclasses import asdict

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from arena.models import Answer, Turn, TurnAnnotation
from arena.services.annotations import annotations_make, votes_to_annotate
from arena.services.battles import battle_regenerate
from arena.style_counts import style_counts
from arena.tagging.interface import Tags
from arena.tagging.own_rules import own_rules_read

pytestmark = pytest.mark.django_db(transaction=True)


class Tagger:
    """Says what its prompts say first: `french` is tagged so, `broken` fails."""

    def __init__(self, version="test/1"):
        self.version = version
        self.seen = []

    def __call__(self, conversation):
        self.seen.append(conversation)
        word = conversation.prompts[-1].split()[0]
        if word == "broken":
            raise RuntimeError(f"cannot read {conversation.prompts}")
        if word == "odd":
            return "en"
        return Tags("fr" if word == "french" else "en", frozenset({word}))


@pytest.fixture
def tagger(settings):
    """The configured tagger, whose version and calls a test can look at."""
    settings.ARENA_TAGGER = f"{__name__}.configured"
    globals()["configured"] = Tagger()
    return globals()["configured"]


def voted(voter, prompt):
    battle_id = voter.start(prompt)
    voter.ended(battle_id)
    return voter.vote(battle_id).turn


def test_a_voted_turn_gets_language_categories_and_the_style_of_both_sides(voter, two_models):
    two_models.scripts["alpha-7b"] = ["# Sea\n\n- **blue**\n- wide"]
    turn = voted(voter, "Write a Python function that counts the waves of the sea, please.")

    assert annotations_make() == 1

    found = TurnAnnotation.objects.get()
    assert found.turn == turn
    assert found.language == "en"
    assert found.categories == ["coding"]
    assert found.tagger == "rules/1"
    assert found.problem == ""
    texts = {answer.side: answer.text for answer in Answer.objects.all()}
    assert found.style == {side: asdict(style_counts(texts[side])) for side in "ab"}
    assert {side["unordered"] for side in found.style.values()} == {0, 2}


def test_an_annotation_holds_no_text(voter):
    voted(voter, "Secretive question about Zanzibar?")

    annotations_make()

    row = str(TurnAnnotation.objects.values().get())
    assert "Zanzibar" not in row
    assert "side one" not in row


def test_turns_without_a_vote_wait_and_those_with_one_are_annotated_once(voter, tagger):
    voter.ended(voter.start("unvoted one"))
    voted(voter, "first one")

    assert annotations_make() == 1
    assert annotations_make() == 0
    voted(voter, "second one")
    assert annotations_make() == 1

    assert [c.prompts for c in tagger.seen] == [("first one",), ("second one",)]


def test_the_tagger_sees_the_conversation_up_to_the_voted_turn_with_its_last_answers(
    voter, two_models, tagger
):
    battle_id = voter.start("first prompt")
    voter.ended(battle_id)
    two_models.scripts |= {"alpha-7b": ["Again one."], "beta-9b": ["Again two."]}
    battle_regenerate(voter_id=voter.id, address="192.0.2.1", battle_id=battle_id)
    voter.ended(battle_id)
    turn = voter.vote(battle_id).turn
    Turn.objects.create(battle=turn.battle, index=1, prompt="a later prompt")

    annotations_make()

    (seen,) = tagger.seen
    assert seen.prompts == ("first prompt",)
    assert sorted(seen.answers) == ["Again one.", "Again two."]


def test_style_is_summed_over_the_turns_of_a_side(voter, two_models):
    turn = voted(voter, "first prompt")
    Turn.objects.filter(pk=turn.pk).update(index=1)
    earlier = Turn.objects.create(battle=turn.battle, index=0, prompt="an earlier prompt")
    for side, text in (("a", "**one** two"), ("b", "- three")):
        Answer.objects.create(turn=earlier, side=side, text=text, state="complete")

    annotations_make()

    found = TurnAnnotation.objects.get()
    assert "multi-turn" in found.categories
    assert (found.style["a"]["bold_asterisk"], found.style["b"]["unordered"]) == (1, 1)
    last = {answer.side: answer.text for answer in Answer.objects.filter(turn=turn)}
    assert found.style["b"]["length"] == 2 + style_counts(last["b"]).length


def test_the_limit_takes_the_oldest_votes_and_the_rest_comes_after(voter, tagger):
    for number in range(3):
        voted(voter, f"w{number} prompt")

    assert annotations_make(limit=2) == 2
    assert [c.prompts[0] for c in tagger.seen] == ["w0 prompt", "w1 prompt"]
    assert annotations_make(limit=0) == 0
    assert annotations_make() == 1


def test_many_votes_are_annotated_batch_by_batch(voter, tagger, monkeypatch):
    monkeypatch.setattr("arena.services.annotations.BATCH", 2)
    for number in range(5):
        voted(voter, f"w{number} prompt")

    assert annotations_make() == 5
    assert len(tagger.seen) == 5


@pytest.mark.parametrize(("prompt", "problem"), [
    ("broken Zanzibar", "RuntimeError"),
    ("odd Zanzibar", "AttributeError"),
    ("UPPER Zanzibar", "ValueError"),
])  # fmt: skip
def test_a_tagger_that_fails_is_named_and_stops_no_other_turn(
    voter, tagger, caplog, prompt, problem
):
    broken = voted(voter, prompt)
    good = voted(voter, "french letters")

    assert annotations_make() == 2

    found = TurnAnnotation.objects.get(turn=broken)
    assert (found.language, found.categories, found.problem) == ("und", [], problem)
    assert found.style["a"]["length"] > 0
    assert TurnAnnotation.objects.get(turn=good).language == "fr"
    assert f"tagger test/1 failed on turn {broken.pk}: {problem}" in caplog.text
    assert "Zanzibar" not in caplog.text


def test_two_at_once_annotate_every_turn_once(voter, tagger):
    for number in range(4):
        voted(voter, f"w{number} prompt")
    gate = threading.Barrier(4)
    errors = []

    def make():
        gate.wait()
        try:
            annotations_make()
        except Exception as error:  # noqa: BLE001 - reported by the test's own thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert TurnAnnotation.objects.count() == 4


def test_a_new_vote_costs_as_many_queries_however_many_came_before(
    voter, tagger, django_assert_num_queries
):
    for number in range(3):
        voted(voter, f"w{number} prompt")
    annotations_make()
    voted(voter, "new prompt")

    # The newest annotated vote; votes, turns and answers; savepoint and insert; nothing is left.
    with django_assert_num_queries(8) as queries:
        annotations_make()

    assert not any("NOT IN" in query["sql"] for query in queries.captured_queries)


def test_tag_votes_fills_gaps_that_the_worker_would_not_look_for(voter, tagger, capsys):
    gap = voted(voter, "gap prompt")
    voted(voter, "later prompt")
    annotations_make()
    TurnAnnotation.objects.filter(turn=gap).delete()

    assert annotations_make() == 0
    call_command("tag_votes")

    assert capsys.readouterr().out == "1 votes annotated\n"
    assert TurnAnnotation.objects.filter(turn=gap).exists()


def test_tag_votes_again_renews_what_another_tagger_made_or_failed_on(voter, tagger, capsys):
    for prompt in ("old prompt", "broken prompt", "fresh prompt"):
        voted(voter, prompt)
    annotations_make()
    TurnAnnotation.objects.filter(categories=["old"]).update(tagger="rules/0", language="xx")
    before = {row.turn_id: row.created_at for row in TurnAnnotation.objects.all()}

    call_command("tag_votes")
    call_command("tag_votes", "--again")

    assert capsys.readouterr().out == "0 votes annotated\n2 votes annotated\n"
    renewed = {
        row.turn.prompt for row in TurnAnnotation.objects.select_related("turn")
        if row.created_at > before[row.turn_id]
    }  # fmt: skip
    assert renewed == {"old prompt", "broken prompt"}
    assert TurnAnnotation.objects.get(categories=["old"]).language == "en"
    assert votes_to_annotate(again=True).count() == 1


def test_tag_votes_names_a_tagger_that_is_not_there(voter, settings):
    settings.ARENA_TAGGER = "nowhere.tagger"

    with pytest.raises(CommandError, match="ARENA_TAGGER names no tagger"):
        call_command("tag_votes")


def test_own_rules_come_on_top_of_any_tagger_and_change_its_version(
    voter, tagger, settings, tmp_path
):
    voted(voter, "law landlord")
    annotations_make()
    path = tmp_path / "tags.toml"
    path.write_text("housing = 'landlord'\n")

    settings.ARENA_TAG_RULES = own_rules_read(path)
    call_command("tag_votes", "--again")

    found = TurnAnnotation.objects.get()
    assert found.categories == ["housing", "law"]
    assert found.tagger == f"test/1+{settings.ARENA_TAG_RULES.version}"


def test_the_annotation_goes_with_its_turn(voter, tagger):
    turn = voter.ended(voter.start("some prompt"))
    row = Turn.objects.get()
    TurnAnnotation.objects.create(turn=row, language="en", style={}, tagger="test/1")

    Turn.objects.filter(pk=row.pk).delete()

    assert turn
    assert TurnAnnotation.objects.count() == 0


def test_the_service_role_may_annotate(transactional_db, settings):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(has_table_privilege(%s, 'arena_turnannotation', privilege))"
            " FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege",
            [settings.DATABASE_SERVICE_ROLE],
        )
        assert cursor.fetchone() == (True,)


def test_the_admin_shows_annotations_and_takes_no_change(admin_client, voter, tagger):
    turn = voted(voter, "some prompt")
    annotations_make()
    page = f"/admin/arena/turnannotation/{turn.pk}/change/"

    assert admin_client.get("/admin/arena/turnannotation/").status_code == 200
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {}).status_code == 403
