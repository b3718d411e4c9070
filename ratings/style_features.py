"""Differences of style between the two answers of a vote, as features of the fit. No Django.

`(A - B) / (A + B)` of lengths, headers, bold and lists, in units of their spread over the data set
(T. Li et al., "Does style matter?", LMSYS 2024). Ratings are adjusted for them, no more: what
style causes is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from arena.vote_files import VoteBatch, VoteFile, VoteFileError
from arena.vote_files.errors import BadValueError
from arena.vote_files.shapes import number_of
from arena.vote_files.style import FEATURES, style_columns, style_of_sides
from ratings.core.outcomes import FloatArray

PREFIX = "style_"
NEEDED = (
    "--style needs conv_metadata, conversation_a and conversation_b, response_a and response_b, "
    f"or numeric columns {PREFIX}…"
)


@dataclass(frozen=True, slots=True)
class StyleFeatures:
    """Features of shape (votes, features) with their names, and what is to be said of them."""

    values: FloatArray
    names: tuple[str, ...]
    notes: tuple[str, ...]


def columns_of_style(file: VoteFile) -> tuple[str, ...]:
    """The columns of the file that tell the style. Raises VoteFileError when there are none.

    Columns named `style_<feature>` are taken before anything that would have to be measured.
    """
    given = tuple(field for field in file.fields if field.startswith(PREFIX))
    columns = given or style_columns(file.fields)
    if not columns:
        raise VoteFileError(file.path, NEEDED)
    return columns


def differences(file: VoteFile, batch: VoteBatch) -> FloatArray:
    """Shape (votes, features): what each vote's answers differ by. Raises VoteFileError."""
    if next(iter(batch.values)).startswith(PREFIX):
        columns = [_numbers(file, batch, column) for column in batch.values]
        return np.array(columns, dtype=np.float64).T.reshape(len(batch.row), -1)
    return difference_of_sides(style_of_sides(file.path, batch))


def difference_of_sides(sides: FloatArray) -> FloatArray:
    """`(A - B) / (A + B)` of counts of shape (votes, 2, features), 0 where both are 0."""
    total = sides.sum(axis=1)
    difference: FloatArray = (sides[:, 0] - sides[:, 1]) / np.where(total > 0, total, 1.0)
    return difference


def style_features(columns: Sequence[str], batches: Iterable[FloatArray]) -> StyleFeatures:
    """Put the batches together, scale what was measured, and leave out what never differs.

    Scaled by the root mean square and not centred, other than in the source: equal style must have
    no effect, or the ratings would change when all sides are swapped.
    """
    values = np.concatenate(list(batches))
    is_given = columns[0].startswith(PREFIX)
    names = [column.removeprefix(PREFIX) for column in columns] if is_given else list(FEATURES)
    spread = np.sqrt((values**2).mean(axis=0))
    kept = np.flatnonzero(spread > 0)
    notes = [
        f"Style feature {names[number]} never differs between two answers and is left out."
        for number in np.flatnonzero(spread == 0)
    ]
    if is_given:
        notes.append(f"Style features are the columns {PREFIX}…, taken as they are.")
        return StyleFeatures(values[:, kept], tuple(names[n] for n in kept), tuple(notes))
    if len(kept):
        notes.append(
            "Style effects are log-odds for a difference (A - B) / (A + B) of one standard "
            "deviation, positive where more of it is preferred."
        )
    scaled = values[:, kept] / spread[kept]
    return StyleFeatures(scaled, tuple(names[n] for n in kept), tuple(notes))


def _numbers(file: VoteFile, batch: VoteBatch, column: str) -> list[float]:
    numbers = []
    for row, value in zip(batch.row, batch.values[column], strict=True):
        try:
            numbers.append(number_of(value))
        except BadValueError as error:
            raise VoteFileError(file.path, str(error), row=int(row), column=column) from error
    return numbers
