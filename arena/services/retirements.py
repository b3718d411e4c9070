"""The write of a retirement: which model left, when and why, stands in the ledger for good."""

from __future__ import annotations

from django.db import transaction

from arena.ledger import canonical_json, ledger_append
from arena.models import LedgerEntry
from inference.models import LanguageModel


def retirement_record(*, language_model: LanguageModel) -> LedgerEntry | None:
    """Enter a model's retirement; None where the ledger has this very one already.

    Another date or reason is another entry: what was said before stays.
    """
    payload = {
        "schema": 1,
        "model": language_model.slug,
        "on": str(language_model.retired_on),
        "reason": language_model.retired_reason,
    }
    with transaction.atomic():
        known = LedgerEntry.objects.filter(
            kind=LedgerEntry.Kind.RETIREMENT, payload=canonical_json(payload)
        )
        if known.exists():
            return None
        return ledger_append(kind=LedgerEntry.Kind.RETIREMENT, payload=payload)
