"""The ledger: a chain that cannot be changed quietly."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from arena.ledger import (
    LedgerBrokenError,
    canonical_json,
    commitment,
    entry_hash,
    ledger_append,
)
from arena.ledger_verification import ledger_verify
from arena.models import LedgerEntry

pytestmark = pytest.mark.django_db


def test_canonical_json_is_the_same_for_the_same_value():
    assert (
        canonical_json({"b": 1, "a": "é"})
        == canonical_json({"a": "é", "b": 1})
        == '{"a":"é","b":1}'
    )


def test_commitments_need_their_salt():
    assert commitment(salt="00" * 32, content="hi") != commitment(salt="01" * 32, content="hi")


def test_entries_form_a_chain_that_verifies():
    with transaction.atomic():
        for choice in "abc":
            ledger_append(kind=LedgerEntry.Kind.IMPORT, payload={"source": choice})

    assert [entry.sequence for entry in ledger_verify()] == [1, 2, 3]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE arena_ledgerentry SET payload = '{}'",
        "DELETE FROM arena_ledgerentry",
        "TRUNCATE arena_ledgerentry CASCADE",
    ],
)
@pytest.mark.parametrize("role", [None, "preferendum_service"])
def test_the_database_refuses_to_change_an_entry(statement, role):
    with transaction.atomic():
        ledger_append(kind=LedgerEntry.Kind.IMPORT, payload={"source": "é"})

    set_role = f"SET LOCAL ROLE {role};" if role else ""
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(set_role + statement)

    assert LedgerEntry.objects.count() == 1


def test_the_service_role_may_append():
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE preferendum_service")
        ledger_append(kind=LedgerEntry.Kind.IMPORT, payload={"source": "é"})

    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("tampering", "named"),
    [
        ('UPDATE arena_ledgerentry SET payload = \'{"reason":"x"}\' WHERE sequence = 2', 2),
        ("UPDATE arena_ledgerentry SET kind = 'vote' WHERE sequence = 3", 3),
        ("DELETE FROM arena_ledgerentry WHERE sequence = 2", 2),
        ("UPDATE arena_ledgerentry SET hash = repeat('0', 64) WHERE sequence = 3", 3),
    ],
)
def test_what_a_superuser_changes_is_found_at_the_first_broken_entry(tampering, named):
    with transaction.atomic():
        for number in range(4):
            ledger_append(kind=LedgerEntry.Kind.IMPORT, payload={"source": number})

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(tampering)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")

    with pytest.raises(LedgerBrokenError) as broken:
        list(ledger_verify())
    assert broken.value.sequence == named


def test_the_database_hashes_as_the_verification_does():
    with transaction.atomic():
        entry = ledger_append(kind=LedgerEntry.Kind.IMPORT, payload={"source": "日本 \\n é"})

    stored = LedgerEntry.objects.get()
    assert stored.hash == entry.hash
    assert stored.hash == entry_hash(
        previous_hash="0" * 64, sequence=1, kind="import", payload=stored.payload
    )


@pytest.mark.parametrize("kind", ["exclusion", "withdrawal", "reinstatement"])
def test_an_entry_about_no_vote_is_named(kind):
    payload = {"vote": 1, "reason": "leak", "by": "rules/2"}
    with transaction.atomic():
        ledger_append(kind=LedgerEntry.Kind(kind), payload=payload)

    with pytest.raises(LedgerBrokenError, match="entry 1: speaks of entry 1, which is no vote"):
        list(ledger_verify())


def test_nothing_is_appended_outside_a_transaction_or_by_one_that_is_rolled_back():
    with transaction.atomic():
        ledger_append(kind=LedgerEntry.Kind.IMPORT, payload={"source": "x"})
        transaction.set_rollback(True)
    with transaction.atomic():
        ledger_append(kind=LedgerEntry.Kind.IMPORT, payload={"source": "y"})

    assert [entry.sequence for entry in ledger_verify()] == [1]
