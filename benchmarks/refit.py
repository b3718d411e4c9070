"""How long an arena takes to rate 1,000 new votes, with few and with many stored before.

Two sizes, each on an embedded PostgreSQL of its own and in a process of its own. Promised is that
the refit from the cells (the ledger folded, point ratings, intervals from the cells, publication)
takes at most twice as long with 10 M stored votes as with 100,000. What reads every vote again
(clustered intervals) is linear and a row of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks import results
from benchmarks.product import ROOT, database

FEW, MANY = 100_000, 10_000_000
QUICK_FEW, QUICK_MANY = 2_000, 20_000
MODELS = 200
NEW_VOTES = 1_000
RUNS = 5
PROMISED_RATIO = 2.0
ROWS = {
    "filled": "votes stored (once)",
    "full": "all of it read again: clustered fit of the overall board (once)",
    "annotated": f"{NEW_VOTES:,} new votes tagged",
    "refit": "refit from the cells after them",
    "folded": "... of which the ledger is folded",
}


def measure(votes: int, *, models: int, runs: int) -> dict[str, float]:
    """Seconds of each row, medians over `runs`, in a process that has the database."""
    import django

    django.setup()

    from django.db import transaction

    from arena.ledger import ledger_head
    from arena.services.annotations import annotations_make
    from benchmarks.stored_votes import models_make, votes_cast, votes_store
    from ratings.services import publication, snapshot_fit
    from ratings.services.locking import fits_lock
    from ratings.services.votes import votes_fold

    # As in a large arena, whatever its size here.
    publication.CLUSTERED_AT_ONCE = 0
    contestants = models_make(models)
    seconds = {"filled": timed(lambda: votes_store(votes, models=contestants))}
    seconds["full"] = timed(snapshot_fit)
    rounds: dict[str, list[float]] = {"annotated": [], "refit": [], "folded": []}
    for number in range(runs + 1):
        votes_cast(NEW_VOTES, models=contestants)
        annotated = timed(annotations_make)

        def fold() -> None:
            with transaction.atomic():
                fits_lock(wait=True)
                votes_fold(upto=ledger_head()["sequence"])
                transaction.set_rollback(True)

        folded = timed(fold)
        refit = timed(lambda: snapshot_fit(quick=True))
        if number:  # the first warms up what is loaded lazily
            for row, value in (("annotated", annotated), ("refit", refit), ("folded", folded)):
                rounds[row].append(value)
    return seconds | {row: statistics.median(values) for row, values in rounds.items()}


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(votes: int, *, models: int, runs: int) -> dict[str, float]:
    """`measure` on a database of its own."""
    with database("") as env:
        process = subprocess.run(
            [sys.executable, "-m", "benchmarks.refit", "--inside", str(votes),
             "--models", str(models), "--runs", str(runs)],
            cwd=ROOT,
            env={**os.environ, **env, "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )  # fmt: skip
    found: dict[str, float] = json.loads(process.stdout)
    return found


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refit", description=__doc__)
    parser.add_argument("--votes", type=int, nargs=2, metavar=("FEW", "MANY"), help="stored votes")
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--quick", action="store_true", help="few votes: to see that it runs")
    parser.add_argument("--write-docs", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        print(json.dumps(measure(options.inside, models=options.models, runs=options.runs)))
        return
    sizes = options.votes or ((QUICK_FEW, QUICK_MANY) if options.quick else (FEW, MANY))
    found = {}
    for votes in sizes:
        print(f"{votes:,} stored votes x {options.models} models", flush=True)
        found[votes] = measured(votes, models=options.models, runs=options.runs)
        for row, title in ROWS.items():
            print(f"  {title:66} {found[votes][row]:9.3f} s", flush=True)
    few, many = sizes
    ratio = found[many]["refit"] / found[few]["refit"]
    verdict = "kept" if ratio <= PROMISED_RATIO else "BROKEN"
    promise = f"refit at most {PROMISED_RATIO:g} x with {many:,} votes: {ratio:.2f} x: {verdict}"
    print(promise)
    where = results.save(
        "refit-quick" if options.quick else "refit",
        {"machine": results.machine(), "models": options.models, "seconds": found, "ratio": ratio},
    )
    print(f"kept in {where}")
    if options.write_docs:
        header = ["seconds", *(f"{votes:,} stored" for votes in sizes)]
        rows = [
            [title, *(f"{found[votes][row]:.3f}" for votes in sizes)] for row, title in ROWS.items()
        ]
        table = results.markdown_table(header, rows)
        results.write_section("refit", f"{results.machine()}\n\n{table}\n\n{promise}")


if __name__ == "__main__":
    main(sys.argv[1:])
