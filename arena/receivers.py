"""What follows in the arena from changes of the registry: a retirement is entered in the ledger."""

from __future__ import annotations

from typing import Any

from arena.services.retirements import retirement_record
from inference.models import LanguageModel


def retirement_after_save(*, instance: LanguageModel, raw: bool, **_signal: Any) -> None:
    """Whoever retires a model, a file or an operator, its row is saved; fixtures are left alone."""
    if not raw and instance.status == LanguageModel.Status.RETIRED:
        retirement_record(language_model=instance)
