"""Votes of a file as integer arrays, batch by batch, whatever its shape and format.

Knows nothing of ratings, databases or the people who voted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from arena.vote_files.columns import BadRowError, CodedColumn
from arena.vote_files.errors import BadValueError, VoteFileError, listed, shown
from arena.vote_files.file_format import open_source
from arena.vote_files.shapes import (
    COUNTS,
    ONE_HOT,
    MissingColumnError,
    ShapeName,
    group_key,
    is_excluded,
    model_name,
    one_or_zero,
    outcome_of,
    shape_of,
    whole_count,
)
from arena.vote_files.sources import Block

# As many as `ratings.core` can count. A file with more has another column in the place of models.
MAX_MODELS = 2048


@dataclass(frozen=True, slots=True)
class VoteBatch:
    """Some successive votes; every array has shape (votes,).

    `model_a` and `model_b` are positions in `VoteFile.names`; `outcome` is 0 where a wins, 1 where
    b wins, 2 for a tie and 3 for both bad; `row` is the row in the file, from 1. `groups` and
    `values` hold the further columns that were asked for: numbers from 0 for each distinct value,
    and the values themselves.
    """

    row: NDArray[np.int64]
    model_a: NDArray[np.int32]
    model_b: NDArray[np.int32]
    outcome: NDArray[np.int8]
    groups: dict[str, NDArray[np.int32]]
    values: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class CountBatch:
    """Some successive rows of counted votes.

    `counts` has shape (rows, 4): a wins, b wins, ties, both bad; the others are as in `VoteBatch`.
    """

    row: NDArray[np.int64]
    model_a: NDArray[np.int32]
    model_b: NDArray[np.int32]
    counts: NDArray[np.int64]


def open_votes(path: Path, *, groups: Sequence[str] = (), values: Sequence[str] = ()) -> VoteFile:
    """Recognise a vote file; its votes come when it is iterated over.

    `groups` are further columns to number by their distinct values (voters, prompts), `values`
    further columns to hand on as Python values (conversations, numbers). Raises VoteFileError.
    """
    return VoteFile(path, groups=tuple(groups), values=tuple(values))


class VoteFile:
    """A file of votes. Each iteration reads it anew from its start, with flat memory.

    `shape` is the name of its shape and `fields` its column names. `names` are the models in the
    order in which they are met, and `excluded` counts the votes that the file itself says do not
    count and which are left out: both grow while batches are read, and are whole at the end.
    """

    def __init__(self, path: Path, *, groups: tuple[str, ...], values: tuple[str, ...]) -> None:
        self._source = open_source(path)
        self.path = path
        self.fields = self._source.fields
        if not self.fields:
            raise VoteFileError(path, "there are no votes: nothing names the columns")
        try:
            self._shape = shape_of(self.fields)
        except MissingColumnError as error:
            raise self._missing(error.column) from error
        for column in (*groups, *values):
            if column not in self.fields:
                raise self._missing(column)
        self._groups, self._values = groups, values
        self._codes: dict[str, int] = {}
        self._group_codes: dict[str, dict[Any, int]] = {}
        self.excluded = 0

    @property
    def shape(self) -> ShapeName:
        return self._shape.name

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._codes)

    @property
    def fraction(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return self._source.fraction

    def __iter__(self) -> Iterator[VoteBatch | CountBatch]:
        self._codes = {}
        self._group_codes = {column: {} for column in self._groups}
        self.excluded = rows = 0
        coded = tuple(dict.fromkeys((*self._shape.columns, *self._groups)))
        values = tuple(dict.fromkeys(self._values))
        for block in self._source.blocks(coded, values):
            if block.rows:
                yield self._batch(block, np.arange(rows + 1, rows + block.rows + 1))
                rows += block.rows
        if not rows:
            raise VoteFileError(self.path, "there are no rows of votes")
        if self.excluded == rows:
            raise VoteFileError(self.path, f"no vote counts: all {rows} rows are excluded")

    def _batch(self, block: Block, row: NDArray[np.int64]) -> VoteBatch | CountBatch:
        if self._shape.exclusion:
            block, row = self._counted(block, row)
        first, second = (
            self._converted(block, row, column, self._model, np.int32)
            for column in self._shape.models
        )
        if (first == second).any():
            at = int((first == second).argmax())
            name = self.names[int(first[at])]
            raise VoteFileError(self.path, f"model {shown(name)} against itself", row=int(row[at]))
        if self._shape.outcome == COUNTS:
            counts = [
                self._converted(block, row, column, whole_count, np.int64) for column in COUNTS
            ]
            return CountBatch(row, first, second, np.column_stack(counts))
        groups = {}
        for column in self._groups:
            codes = self._group_codes[column]

            def number(value: Any, codes: dict[Any, int] = codes) -> int:
                return codes.setdefault(group_key(value), len(codes))

            groups[column] = self._converted(block, row, column, number, np.int32)
        outcome = self._outcome(block, row)
        return VoteBatch(row, first, second, outcome, groups, block.values)

    def _counted(self, block: Block, row: NDArray[np.int64]) -> tuple[Block, NDArray[np.int64]]:
        """What is left of a block without the votes that the file excludes."""
        excluded = np.zeros(block.rows, dtype=bool)
        for column in self._shape.exclusion:

            def refuse(value: Any, column: str = column) -> bool:
                return is_excluded(column, value)

            excluded |= self._converted(block, row, column, refuse, np.bool_)
        self.excluded += int(excluded.sum())
        kept = np.flatnonzero(~excluded)
        values = {
            column: [found[position] for position in kept.tolist()]
            for column, found in block.values.items()
        }
        coded = {column: found.taken(kept) for column, found in block.coded.items()}
        return Block(len(kept), coded, values), row[kept]

    def _outcome(self, block: Block, row: NDArray[np.int64]) -> NDArray[np.int8]:
        if self._shape.outcome == ONE_HOT:
            marks = np.column_stack(
                [self._converted(block, row, column, one_or_zero, np.int8) for column in ONE_HOT]
            )
            wrong = marks.sum(axis=1) != 1
            if wrong.any():
                at = int(wrong.argmax())
                raise VoteFileError(
                    self.path,
                    f"{', '.join(ONE_HOT)} are {', '.join(map(str, marks[at]))}: "
                    "exactly one must be 1",
                    row=int(row[at]),
                )
            # The columns stand in the order of the outcomes 0, 1, 2.
            outcomes: NDArray[np.int8] = marks.argmax(axis=1).astype(np.int8)
            return outcomes
        labels = self._shape.labels

        def outcome(value: Any) -> int:
            return outcome_of(value, labels)

        return self._converted(block, row, self._shape.outcome[0], outcome, np.int8)

    def _model(self, value: Any) -> int:
        # Nearly always a name that was met before.
        known = self._codes.get(value) if isinstance(value, str) else None
        if known is not None:
            return known
        code = self._codes.setdefault(model_name(value), len(self._codes))
        if code >= MAX_MODELS:
            raise BadValueError(
                f"more than {MAX_MODELS} different models: is this the column of their names?"
            )
        return code

    def _converted(
        self,
        block: Block,
        row: NDArray[np.int64],
        column: str,
        convert: Callable[[Any], Any],
        dtype: DTypeLike,
    ) -> NDArray[Any]:
        found: CodedColumn = block.coded[column]
        try:
            return found.converted(convert, dtype)
        except BadRowError as error:
            at = int(row[error.row])
            raise VoteFileError(self.path, str(error), row=at, column=column) from error

    def _missing(self, column: str) -> VoteFileError:
        found = listed(self.fields) or "none"
        return VoteFileError(self.path, f"no column {column!r}; the columns are {found}")
