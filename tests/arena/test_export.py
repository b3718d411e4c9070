"""A release of votes: the public shape, complete or not there at all."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
from django.core.management import CommandError, call_command

from arena.models import Vote
from tests.arena.voter import TestVoter

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS_33K = [
    "question_id", "model_a", "model_b", "winner", "judge", "conversation_a", "conversation_b",
    "turn", "anony", "language", "tstamp", "openai_moderation", "toxic_chat_tag",
]  # fmt: skip


@pytest.fixture
def voters(two_models):
    """Two voters, who made each choice once, on different prompts."""
    voters = [TestVoter(), TestVoter()]
    for number, choice in enumerate(["a", "b", "tie", "both_bad"]):
        voter = voters[number % 2]
        battle_id = voter.start(f"Question {number}?")
        voter.ended(battle_id)
        voter.vote(battle_id, choice)
    return voters


def rows_of(folder):
    """The rows in the order of their votes; a release has them in none."""
    rows = [json.loads(line) for line in (folder / "votes.33k.jsonl").read_text().splitlines()]
    return sorted(rows, key=lambda row: row["conversation_a"][0]["content"])


def test_the_33k_shape_has_its_fields_and_labels(voters, tmp_path):
    call_command("export_votes", "--format", "33k", "--out", str(tmp_path / "release"))

    rows = rows_of(tmp_path / "release")
    assert [list(row) for row in rows] == [FIELDS_33K] * 4
    assert [row["winner"] for row in rows] == ["model_a", "model_b", "tie", "tie (bothbad)"]
    assert rows[0]["conversation_a"][0] == {"content": "Question 0?", "role": "user"}
    said = {row["model_a"]: row["conversation_a"][1]["content"] for row in rows}
    assert said.items() <= {"alpha-7b": "Hello from side one.", "beta-9b": "Hi."}.items()


def test_judges_are_told_apart_within_a_release_and_not_linked_between_two(voters, tmp_path):
    for name in ("one", "two"):
        call_command("export_votes", "--format", "33k", "--out", str(tmp_path / name))

    one, two = ([row["judge"] for row in rows_of(tmp_path / name)] for name in ("one", "two"))
    assert one[0] == one[2] != one[1] == one[3]
    assert not set(one) & set(two)
    assert not {str(voter.id) for voter in voters} & set(one)


def test_votes_that_do_not_count_are_left_out(voters, tmp_path):
    Vote.objects.filter(choice="tie").update(exclusion="leak")

    call_command("export_votes", "--format", "33k", "--out", str(tmp_path / "release"))

    assert "tie" not in [row["winner"] for row in rows_of(tmp_path / "release")]


def test_the_checksums_hold(voters, tmp_path):
    call_command("export_votes", "--format", "33k", "--out", str(tmp_path / "release"))

    for line in (tmp_path / "release" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        content = (tmp_path / "release" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest


def test_a_good_release_is_never_replaced(voters, tmp_path):
    call_command("export_votes", "--format", "33k", "--out", str(tmp_path / "release"))

    with pytest.raises(CommandError, match="exists already"):
        call_command("export_votes", "--format", "33k", "--out", str(tmp_path / "release"))


def test_a_failed_export_leaves_nothing(voters, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)

    with pytest.raises(CommandError, match="No space left"):
        call_command("export_votes", "--format", "33k", "--out", str(tmp_path / "release"))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_arena_exports_an_empty_file(transactional_db, tmp_path):
    call_command("export_votes", "--format", "33k", "--out", str(tmp_path / "release"))

    assert rows_of(tmp_path / "release") == []
