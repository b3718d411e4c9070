"""Signed heads: what somebody kept elsewhere tells whether the past was changed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from arena.ledger import GENESIS_HASH, canonical_json, entry_hash, ledger_append
from arena.ledger_heads import (
    CONTEXT,
    HeadError,
    head_check_signature,
    head_parse,
    head_publish,
    head_signed_now,
    heads_read,
)
from arena.models import LedgerEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def heads_file(settings, tmp_path):
    settings.LEDGER_HEADS_FILE = tmp_path / "own" / "heads.jsonl"
    return settings.LEDGER_HEADS_FILE


def append(*sources):
    with transaction.atomic():
        for source in sources:
            ledger_append(kind=LedgerEntry.Kind.IMPORT, payload={"source": source})


def kept(tmp_path, *heads):
    path = tmp_path / "kept.jsonl"
    path.write_text("".join(json.dumps(asdict(head)) + "\n" for head in heads))
    return path


def rewrite(sequence, source):
    """What a superuser could do who drops the trigger: change an entry, and hash all anew."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        previous = GENESIS_HASH
        for entry in LedgerEntry.objects.order_by("sequence"):
            payload = entry.payload
            if entry.sequence == sequence:
                payload = canonical_json({"source": source})
            hash_ = entry_hash(
                previous_hash=previous, sequence=entry.sequence, kind=entry.kind, payload=payload
            )
            cursor.execute(
                "UPDATE arena_ledgerentry SET payload=%s, previous_hash=%s, hash=%s "
                "WHERE sequence=%s",
                [payload, previous, hash_, entry.sequence],
            )
            previous = hash_
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def verify(**options):
    out = StringIO()
    call_command("verify_ledger", stdout=out, **options)
    return out.getvalue()


def test_a_head_can_be_checked_with_nothing_of_ours():
    append("x", "y")
    head = asdict(head_signed_now())

    signature = bytes.fromhex(head.pop("signature"))
    message = CONTEXT + json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(head["key"])).verify(signature, message)
    assert head["sequence"] == 2


def test_the_api_publishes_the_newest_head(client, tmp_path):
    append("x")

    answer = client.get("/api/v1/ledger/head/")

    assert answer.status_code == 200
    assert answer.json()["sequence"] == 1
    path = tmp_path / "head.json"
    path.write_bytes(answer.content)
    assert "1 signed heads agree" in verify(head=path)


def test_heads_are_appended_once_each(heads_file):
    append("x")
    head_publish()
    head_publish()
    append("y")
    head_publish()

    assert [head.sequence for head in heads_read(heads_file)] == [1, 2]


def test_a_line_that_was_cut_is_named_and_the_next_head_is_still_written(heads_file):
    append("x")
    head_publish()
    with heads_file.open("a") as file:
        file.write('{"sequence": 2, "ha')

    append("y")
    head_publish()

    lines = heads_file.read_text().splitlines()
    assert json.loads(lines[-1])["sequence"] == 2
    with pytest.raises(CommandError, match=r"line 2 of .* is no JSON"):
        verify()


def test_a_rewritten_past_is_found_by_a_head_that_was_kept(tmp_path):
    append("x")
    first = head_signed_now()
    append("y", "z")
    second = head_signed_now()
    append("more")
    rewrite(2, "forged")

    assert "4 entries verify" in verify()
    with pytest.raises(CommandError, match=r"ledger entry 3: .*after entry 1, up to this one"):
        verify(head=kept(tmp_path, first, second))
    assert "1 signed heads agree" in verify(head=kept(tmp_path, first))


def test_a_rewritten_past_is_found_by_the_file_outside_the_database():
    append("x", "y")
    head_publish()
    rewrite(1, "forged")

    with pytest.raises(CommandError, match=r"ledger entry 2: .*names another hash"):
        verify()


def test_a_ledger_that_was_cut_is_found(tmp_path):
    append("x", "y", "z")
    head = head_signed_now()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM arena_ledgerentry WHERE sequence = 3")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")

    with pytest.raises(CommandError, match="entry 3: is missing: the ledger ends at 2"):
        verify(head=kept(tmp_path, head))


def test_a_head_that_was_altered_or_signed_by_another_is_refused(tmp_path):
    append("x")
    head = head_signed_now()

    with pytest.raises(CommandError, match="signature of the head of entry 1 is not good"):
        verify(head=kept(tmp_path, replace(head, hash="0" * 64)))
    foreign = replace(head, key=Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex())
    with pytest.raises(CommandError, match="which is not one of this installation"):
        verify(head=kept(tmp_path, foreign))


def test_a_key_that_was_kept_decides_whose_signature_counts(tmp_path, settings):
    append("x")
    head = head_signed_now()
    pem = tmp_path / "kept.pem"
    public = settings.LEDGER_SIGNING_KEY.public_key()
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    # The operator rewrites the ledger and makes a new key, so that the old head is "foreign".
    settings.LEDGER_SIGNING_KEY = Ed25519PrivateKey.generate()
    rewrite(1, "forged")

    with pytest.raises(CommandError, match="which is not one of this installation"):
        verify(head=kept(tmp_path, head))
    with pytest.raises(CommandError, match=r"entry 1: .*names another hash"):
        verify(head=kept(tmp_path, head), key=pem)


def test_a_retired_key_still_counts(settings):
    append("x")
    head = head_signed_now()
    settings.LEDGER_RETIRED_KEYS = [settings.LEDGER_SIGNING_KEY.public_key()]
    settings.LEDGER_SIGNING_KEY = Ed25519PrivateKey.generate()

    head_check_signature(head)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("[]", "is no JSON object"),
        ("{}", "has no sequence"),
        ('{"sequence": true}', "has a wrong sequence"),
        ('{"sequence": "1"}', "has a wrong sequence"),
        ("nonsense", "line 1 of .* is no JSON"),
        ("[" * 100_000, "line 1 of .* is no JSON"),
    ],
)
def test_a_file_that_holds_no_heads_is_told_in_one_line(tmp_path, content, says):
    path = tmp_path / "head"
    path.write_text(content)

    with pytest.raises(CommandError, match=says) as error:
        verify(head=path)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        verify(head=tmp_path / "absent")


def test_a_snapshot_of_the_leaderboard_is_a_head_too():
    head = asdict(head_signed_now())

    assert asdict(head_parse({"ledger_head": head})) == head
    with pytest.raises(HeadError):
        head_parse({"ledger_head": {"sequence": 1}})
