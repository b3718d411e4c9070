"""Single votes, read for what needs them: intervals clustered by voter, and style control.

Linear in the votes. Knows nothing of ratings.
"""

from __future__ import annotations

import numpy as np

from ratings.board_votes import FEATURES, VoteRows
from ratings.core.outcomes import Outcome
from ratings.models import RatedVote
from ratings.selectors.binary_arrays import Columns, arrays_read
from ratings.selectors.cubes import Selection

# Ledger entries a block.
BLOCK = 1 << 17
# An erased voter or prompt is nobody else's: it gets a number of its own.
_COLUMNS: dict[str, tuple[str, str]] = {
    "model_a": ("model_a", ">i4"),
    "model_b": ("model_b", ">i4"),
    "outcome": ("outcome", ">i2"),
    "voter": ("CASE voter WHEN 0 THEN -sequence ELSE voter END", ">i8"),
    "prompt": ("CASE prompt WHEN 0 THEN -sequence ELSE prompt END", ">i8"),
    **{name: (name, ">f4") for name in FEATURES},
}


def rows_read(selection: Selection, *, style: bool) -> VoteRows:
    """Read the counted votes of a selection, with the style differences where asked for."""
    names = [name for name in _COLUMNS if style or name not in FEATURES]
    condition, parameters = _condition(selection)
    newest = RatedVote.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    arrays = ", ".join(f"array_agg({_COLUMNS[name][0]} ORDER BY sequence)" for name in names)
    blocks: list[Columns] = []
    for first in range(0, newest, BLOCK):
        blocks += (
            columns
            for _, columns in arrays_read(
                f"SELECT '', {arrays} FROM ratings_ratedvote "  # noqa: S608
                f"WHERE sequence > %s AND sequence <= %s AND {condition}",
                [first, first + BLOCK, *parameters],
                types=[_COLUMNS[name][1] for name in names],
            )
        )
    columns = {
        name: np.concatenate([block[place] for block in blocks] or [np.empty(0)])
        for place, name in enumerate(names)
    }
    features = (
        np.column_stack([columns[name] for name in FEATURES]).astype(np.float64) if style else None
    )
    integers = {
        name: columns[name].astype(np.int64)
        for name in ("model_a", "model_b", "outcome", "voter", "prompt")
    }
    return VoteRows(**integers, features=features)


def _condition(selection: Selection) -> tuple[str, list[object]]:
    """As SQL what `category_counts` selects by category numbers."""
    conditions = ["exclusion = ANY(%s::text[])"]
    parameters: list[object] = [list(selection.exclusions)]
    if selection.bit is not None:
        conditions.append("tags & (1::bigint << %s) <> 0")
        parameters.append(selection.bit)
    elif selection.number:
        conditions.append("language = %s")
        parameters.append(selection.number)
    if selection.without_bit is not None:
        conditions.append("tags & (1::bigint << %s) = 0")
        parameters.append(selection.without_bit)
    if selection.left_out:
        conditions.append("NOT sequence = ANY(%s::bigint[])")
        parameters.append(list(selection.left_out))
    if selection.decided:
        conditions.append("outcome < %s")
        parameters.append(int(Outcome.TIE))
    return " AND ".join(conditions), parameters
