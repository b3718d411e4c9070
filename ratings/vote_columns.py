"""Votes from columns of names, as data frames hold them: pandas, pyarrow, polars, or plain lists.

For people who call `ratings.core` with their own data. Knows no files; `arena.vote_files` reads
those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from arena.vote_files.shapes import WINNERS
from ratings.core.outcomes import MAX_MODELS, VoteDataError, Votes

Codes = NDArray[np.uint16]

# Rows at a time: their strings and numbers stay in the cache.
_PIECE = 1 << 17


def votes_from_columns(model_a: Any, model_b: Any, winner: Any) -> tuple[Votes, tuple[str, ...]]:
    """The votes, and the names of the models in sorted order, which is how votes number them.

    Each column holds strings, one a vote, as anything that pyarrow can take: a pandas or polars
    series, a numpy or pyarrow array, a list. `winner` has the labels of the vote files: model_a,
    model_b, tie, both_bad and tie (bothbad). Raises VoteDataError that names the row (from 0) and
    the column.
    """
    columns = {
        name: _strings(column, name)
        for name, column in {"model_a": model_a, "model_b": model_b, "winner": winner}.items()
    }
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise VoteDataError(f"columns differ in length: {lengths}")
    # The look-ups run outside of Python's lock.
    with ThreadPoolExecutor(max_workers=len(columns)) as pool:
        (codes_a, names_a), (codes_b, names_b), (codes, labels) = pool.map(
            _coded, columns, columns.values()
        )
    names = sorted({*names_a, *names_b})
    number = {name: place for place, name in enumerate(names)}
    dtype = np.min_scalar_type(len(names))
    votes = Votes(
        np.array([number[name] for name in names_a], dtype)[codes_a],
        np.array([number[name] for name in names_b], dtype)[codes_b],
        _outcomes(codes, labels),
        len(names),
    )
    return votes, tuple(names)


def _strings(column: Any, name: str) -> pa.ChunkedArray:
    if isinstance(column, pa.ChunkedArray):
        strings = column
    else:
        try:
            strings = pa.chunked_array(pa.array(column))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            first_line = str(error).splitlines()[0]
            raise VoteDataError(f"{name} does not hold strings alone: {first_line}") from error
    if pa.types.is_dictionary(strings.type):
        strings = strings.cast(strings.type.value_type)
    if not (pa.types.is_string(strings.type) or pa.types.is_large_string(strings.type)):
        raise VoteDataError(f"{name} holds {strings.type}, not strings")
    return strings


def _coded(name: str, strings: pa.ChunkedArray) -> tuple[Codes, list[str]]:
    """The number of each string, shape (votes,), and the strings in the order of their numbers."""
    codes = np.empty(len(strings), np.uint16)
    known: dict[str, int] = {}
    values = pa.array([], strings.type)
    start = 0
    for piece in _pieces(strings):
        if piece.null_count:
            row = start + int(np.flatnonzero(piece.is_null())[0])
            raise VoteDataError(f"row {row}: {name} is missing")
        found = pc.index_in(piece, value_set=values)
        if found.null_count:
            for value in piece.dictionary_encode().dictionary.to_pylist():
                known.setdefault(value, len(known))
            if len(known) > MAX_MODELS:
                raise VoteDataError(
                    f"{name} has more than {MAX_MODELS} different strings in the first "
                    f"{start + len(piece)} rows: so many models cannot be rated at once"
                )
            values = pa.array(list(known), strings.type)
            found = pc.index_in(piece, value_set=values)
        codes[start : start + len(piece)] = found
        start += len(piece)
    return codes, list(known)


def _pieces(strings: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in strings.chunks:
        for start in range(0, len(chunk), _PIECE):
            yield chunk.slice(start, _PIECE)


def _outcomes(codes: Codes, labels: Sequence[str]) -> NDArray[np.int8]:
    for code, label in enumerate(labels):
        if label not in WINNERS:
            row = int(np.flatnonzero(codes == code)[0])
            raise VoteDataError(f"row {row}: winner is {label!r}, not one of {', '.join(WINNERS)}")
    return np.array([WINNERS[label] for label in labels], np.int8)[codes]
