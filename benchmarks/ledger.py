"""How many votes a second the service layer takes, and how fast the ledger is verified.

A durable embedded PostgreSQL (every commit is on the disk before the vote is answered), finished
battles made beforehand, and one or several processes whose threads cast votes at the same time,
each through `arena.services.votes.vote_cast` with all rules in force. Promised are 300 a second.
Afterwards the chain is walked: no gap, no fork, whatever ran beside each other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks import results
from benchmarks.product import ROOT, database

PROMISED = 300.0
# (processes, threads in each)
SETUPS = ((1, 1), (2, 1), (2, 4))
VOTES, QUICK_VOTES = 3_000, 60
VOTES_A_VOTER = 20
WORDS = "Some words of an answer that somebody has read and judged with care. " * 12


def battles_make(votes: int) -> None:
    """Finished battles that wait for their vote, of twenty votes a voter, prompts all different."""
    from datetime import timedelta

    from django.utils import timezone

    from arena.models import Answer, Battle, Turn, Voter
    from inference.models import LanguageModel, Organization

    maker, _ = Organization.objects.get_or_create(slug="maker", defaults={"name": "Maker"})
    models = [
        LanguageModel.objects.get_or_create(
            slug=f"model-{number}", defaults={"name": f"Model {number}", "organization": maker}
        )[0]
        for number in range(20)
    ]
    before = timezone.now() - timedelta(minutes=5)
    voters = Voter.objects.bulk_create(Voter() for _ in range(-(-votes // VOTES_A_VOTER)))
    battles = Battle.objects.bulk_create(
        Battle(
            voter=voters[number % len(voters)],
            model_a=models[number % 20],
            model_b=models[(number % 20 + 1 + number % 19) % 20],
            sampler="uniform/1",
            probability=1 / 190,
            pool=[model.pk for model in models],
            consent_version="benchmark",
        )
        for number in range(votes)
    )
    turns = Turn.objects.bulk_create(
        Turn(battle=battle, index=0, prompt=f"Question {battle.pk}") for battle in battles
    )
    Answer.objects.bulk_create(
        Answer(turn=turn, side=side, state=Answer.State.COMPLETE, text=WORDS, first_token_at=before)
        for turn in turns
        for side in "ab"
    )


def cast(*, share: int, shares: int, threads: int) -> dict[str, float]:
    """Vote on this process's share of the open battles; when it began and ended, and how many."""
    from django.db import connection

    from arena.models import Turn
    from arena.services.votes import vote_cast

    open_turns = (
        Turn.objects.filter(vote=None)
        .order_by("pk")
        .values_list("pk", "battle_id", "battle__voter_id", "ballot")
    )
    # By its number, so that the shares of processes that start at different moments never overlap.
    mine = [row[1:] for row in open_turns if row[0] % shares == share]

    def vote(row: tuple[object, ...]) -> None:
        battle_id, voter_id, ballot = row
        vote_cast(
            voter_id=voter_id,  # type: ignore[arg-type]
            address="127.0.0.1",
            battle_id=battle_id,  # type: ignore[arg-type]
            turn_index=0,
            choice="a",
            ballot=ballot,
        )

    def many(rows: list[tuple[object, ...]]) -> None:
        for row in rows:
            vote(row)
        connection.close()

    begun = time.time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(many, [mine[thread::threads] for thread in range(threads)]))
    return {"begun": begun, "ended": time.time(), "votes": len(mine)}


def verify() -> dict[str, float]:
    from arena.ledger_verification import ledger_verify

    begun = time.perf_counter()
    entries = sum(1 for _ in ledger_verify())
    return {"entries": entries, "seconds": time.perf_counter() - begun}


def inside(job: Sequence[str]) -> None:
    """One job in a process that has the database; its result is one line of JSON."""
    import django

    django.setup()
    if job[0] == "make":
        battles_make(int(job[1]))
        print("{}")
    elif job[0] == "cast":
        share, shares, threads = map(int, job[1:])
        print(json.dumps(cast(share=share, shares=shares, threads=threads)))
    else:
        print(json.dumps(verify()))


def started(env: dict[str, str], *job: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ledger", "--inside", *map(str, job)],
        cwd=ROOT,
        env={**os.environ, **env, "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> dict[str, float]:
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few votes: to see that it runs")
    parser.add_argument("--write-docs", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--inside", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        inside(options.inside)
        return
    votes = QUICK_VOTES if options.quick else VOTES
    rates: dict[str, float] = {}
    with database("") as env:
        env = {**env, "ARENA_VOTES_PER_DAY": "1000000"}
        for processes, threads in SETUPS:
            finished(started(env, "make", votes))
            jobs = [started(env, "cast", n, processes, threads) for n in range(processes)]
            runs = [finished(job) for job in jobs]
            seconds = max(run["ended"] for run in runs) - min(run["begun"] for run in runs)
            title = f"{processes} process{'es' * (processes > 1)} x {threads} threads"
            rates[title] = sum(run["votes"] for run in runs) / seconds
            print(f"{title:28} {rates[title]:8.0f} votes a second", flush=True)
        walk = finished(started(env, "verify"))
    best = max(rates.values())
    verified = walk["entries"] / walk["seconds"]
    print(f"{'verify_ledger':28} {verified:8.0f} entries a second ({walk['entries']:.0f} in all)")
    verdict = "kept" if best >= PROMISED else "BROKEN"
    promise = f"at least {PROMISED:.0f} votes a second: {best:.0f}: {verdict}"
    print(promise)
    where = results.save(
        "ledger-quick" if options.quick else "ledger",
        {"machine": results.machine(), "votes": rates, "verified": verified},
    )
    print(f"kept in {where}")
    if options.write_docs:
        rows = [[title, f"{rate:.0f}"] for title, rate in rates.items()]
        rows.append(["`verify_ledger`, entries", f"{verified:.0f}"])
        table = results.markdown_table(["votes through the service layer", "a second"], rows)
        results.write_section("ledger", f"{results.machine()}\n\n{table}\n\n{promise}")


if __name__ == "__main__":
    main(sys.argv[1:])
