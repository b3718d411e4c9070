"""`python -m ratings FILE`: rates the votes of a file, with no server and no Django.

What is wrong with the input is one line on standard error, and exit status 2.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from arena.vote_files import VoteFileError
from arena.vote_files.errors import visible
from ratings.anchor import NoAnchorError, anchored
from ratings.core.outcomes import Outcome, OutcomeCells, VoteDataError
from ratings.core.standings import Standings, standings
from ratings.core.weights import balanced_weights
from ratings.core.win_rate import win_rates
from ratings.file_votes import read_file
from ratings.options import InputError, options_parsed
from ratings.report import Report

_TITLES = {
    "bradley-terry": "Bradley-Terry ratings",
    "davidson": "Davidson ratings (ties are an outcome of their own)",
    "rao-kupper": "Rao-Kupper ratings (ties are an outcome of their own)",
    "elo": "Online Elo ratings",
    "win-rate": "Win rates",
}


def main(arguments: Sequence[str]) -> int:
    """Run the program; returns the exit status."""
    try:
        _run(options_parsed(arguments))
    except (InputError, VoteFileError) as error:
        return _refused(str(error))
    except MemoryError:
        return _refused("out of memory: fewer --rounds or a smaller file need less")
    except BrokenPipeError:
        # Whoever read along has seen enough; Python would complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _refused(message: str) -> int:
    # Where standard error is closed, print would write to standard output.
    if sys.stderr is not None:
        print(f"ratings: {visible(message)}", file=sys.stderr)
    return 2


def _run(options: argparse.Namespace) -> None:
    if options.out:
        _refuse_bad_target(options.out, options.file)
    report = _report(options)
    if options.json:
        text = json.dumps(report.as_object(), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    else:
        text = report.as_table()
    if options.out:
        _write(options.out.resolve(), text)
    else:
        _print(text, is_json=options.json)


def _print(text: str, *, is_json: bool) -> None:
    if sys.stdout is None:
        raise InputError("standard output is closed: name a file with --out")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is UTF-8 whatever the terminal speaks; a table had better be readable.
        encoding = "utf-8" if is_json else None
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"writing to standard output failed: {error.strerror}") from error


def _report(options: argparse.Namespace) -> Report:
    single = bool(options.cluster or options.style or options.method == "elo")
    with tqdm(
        total=100,
        desc=options.file.name,
        bar_format="{l_bar}{bar}| {elapsed}<{remaining}",
        delay=0.5,
        leave=False,
        disable=not (sys.stderr and sys.stderr.isatty()),
    ) as bar:

        def show(fraction: float) -> None:
            bar.update(100 * fraction - bar.n)

        found = read_file(
            options.file,
            single=single,
            clusters=options.cluster,
            style=options.style,
            progress=show,
        )
    votes = found.votes
    cells = votes if isinstance(votes, OutcomeCells) else votes.cells()
    counted = cells
    if options.both_bad == "drop":
        counted = OutcomeCells(cells.counts * (np.arange(len(Outcome)) != Outcome.BOTH_BAD))
    style = found.style
    try:
        table = standings(
            votes,
            method=options.method,
            interval=options.ci,
            both_bad=options.both_bad,
            position=options.position,
            prior=options.prior,
            ridge=options.ridge,
            weights=balanced_weights(counted) if options.balanced else None,
            clusters=found.clusters,
            features=style.values if style and style.names else None,
            feature_names=style.names if style else (),
            level=options.level,
            rounds=options.rounds,
            seed=options.seed,
            simultaneous=not options.pointwise_ranks,
            per_component=True,
        )
    except VoteDataError as error:
        raise InputError(f"{options.file}: {error}") from error
    notes = [*table.notes, *(style.notes if style else ())]
    if found.excluded:
        notes.append(f"{found.excluded} votes are left out: the file says that they do not count.")
    if table.dropped:
        notes.append(f"{table.dropped} votes that both are bad are left out (--both-bad drop).")
    elif options.both_bad == "drop":
        notes.append("No vote says that both are bad: --both-bad drop left nothing out.")
    if options.anchor:
        table, note = _anchored(table, found.names, options)
        notes.append(note)
    win_rate = None
    if options.method == "win-rate":
        win_rate = win_rates(counted.pairs(), models=cells.models).share
    used = found.count - table.dropped
    return Report(
        standings=table,
        names=found.names,
        votes=used,
        dropped=found.excluded + table.dropped,
        style=style.names if style else (),
        notes=tuple(dict.fromkeys(notes)),
        title=f"{_TITLES[options.method]} of {len(found.names)} models from {used:,} votes",
        interval=_interval(options),
        win_rate=win_rate,
    )


def _anchored(
    table: Standings, names: Sequence[str], options: argparse.Namespace
) -> tuple[Standings, str]:
    name, rating = options.anchor
    if name not in names:
        raise InputError(f"{options.file}: no model {name!r} to anchor at")
    try:
        table = anchored(table, names.index(name), rating, level=options.level)
    except NoAnchorError as error:
        raise InputError(f"{options.file}: anchor {name!r} has no rating: {error}") from error
    note = f"Anchored: {name} has the rating {rating:g}; intervals are of the difference to it"
    if table.groups > 1:
        note += ", in its own component only"
    if options.method == "win-rate" and options.ci != "none":
        note += "; there are none, as win rates are not estimated together"
    return table, f"{note}. se is still that of the mean-centred rating."


def _interval(options: argparse.Namespace) -> str:
    if options.ci == "none" or options.method == "elo":
        return "No intervals"
    kind = f"bootstrap of {options.rounds} rounds" if options.ci == "bootstrap" else "sandwich"
    if options.method == "win-rate":
        kind = "delta method"
    who = (
        f"clustered by {' and '.join(options.cluster)}" if options.cluster else "votes independent"
    )
    ranges = "rank ranges hold for all models at once"
    if options.pointwise_ranks:
        ranges = "rank ranges hold for one pair of models at a time"
    if options.method == "win-rate":
        return f"{100 * options.level:g} % intervals: {kind}, {who}"
    return f"{100 * options.level:g} % intervals: {kind}, {who}; {ranges}"


def _refuse_bad_target(target: Path, source: Path) -> None:
    if target.exists():
        if not target.is_file():
            raise InputError(f"{target}: is not a regular file, so it is not written to")
        if source.exists() and target.samefile(source):
            raise InputError(f"{target}: is the file of the votes, so it is not written to")
    elif not target.parent.is_dir():
        raise InputError(f"{target}: there is no folder {target.parent}")


def _write(target: Path, text: str) -> None:
    """Write all of it or nothing."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            with draft.open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}") from error
