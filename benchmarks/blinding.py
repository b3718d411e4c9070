"""How often a program can name the model from what it saw before the vote.

Fights battles over the public interface (`benchmarks.onlooker`), trains classifiers on what it saw,
and tries them on prompts that they have not met. What it reports is a lower bound of the risk: a
better attack names more. By default it brings scripted models of which it is known what there is to
find; with `--url` it attacks an arena that runs, and its votes (all ties) count there.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline, make_union

from benchmarks import results
from benchmarks.onlooker import SeenBattle, battles_see
from benchmarks.product import database, free_port, program
from benchmarks.sightings import Sighting, sightings
from benchmarks.voiced_endpoint import MODELS

PACINGS = ("none", "common/80", "common/250")
BATTLES, QUICK_BATTLES = 200, 24
AT_ONCE = 12
FOLDS = 5
TREES = 200
REPLICATES = 2000
# By what an attacker looks at; the words themselves are a stronger attacker of its own.
FEATURES = ("length", "formatting", "timing", "all", "text")
SUBJECTS = (
    "the sky", "bread", "a good night's sleep", "the tides", "friendship", "glass", "a fair price",
    "rust", "the seasons", "a city", "music", "yeast", "traffic jams", "a map", "wind",
    "handwriting", "the calendar", "bridges", "silence", "soap", "a recipe", "trust", "fog",
    "mountains", "chess", "a garden", "money", "shadows", "paper", "migration", "snow", "a promise",
    "honey", "echoes", "patience", "sand", "a library", "laughter", "rivers", "maps of the stars",
)  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """The share of answers whose model was named, with a 95 % interval over prompts; `chance` is
    the share of the most frequent model."""

    features: str
    accuracy: float
    lower: float
    upper: float
    chance: float
    answers: int
    models: int


def attack(seen: Sequence[Sighting], *, features: str) -> Attack:
    """Name the model of each answer from the others' prompts only. Needs two prompts or more."""
    labels = np.array([sighting.model for sighting in seen])
    names, groups = np.unique([sighting.prompt for sighting in seen], return_inverse=True)
    rows: Any = (
        np.array([sighting.text for sighting in seen], dtype=object)
        if features == "text"
        else np.array([sighting.features[features] for sighting in seen], dtype=float)
    )
    named = np.empty(len(seen), dtype=labels.dtype)
    folds = GroupKFold(n_splits=min(FOLDS, len(names)))
    for train, test in folds.split(rows, labels, groups):
        named[test] = _classifier(features).fit(rows[train], labels[train]).predict(rows[test])
    is_right = named == labels
    lower, upper = _interval(is_right, groups)
    _, counts = np.unique(labels, return_counts=True)
    return Attack(
        features=features,
        accuracy=float(is_right.mean()),
        lower=lower,
        upper=upper,
        chance=float(counts.max() / len(labels)),
        answers=len(labels),
        models=len(counts),
    )


def _classifier(features: str) -> Any:
    if features != "text":
        return RandomForestClassifier(n_estimators=TREES, min_samples_leaf=2, random_state=0)
    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True)
    words = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True)
    grams = make_union(characters, words)
    return make_pipeline(grams, LogisticRegression(C=10.0, max_iter=1000))


def _words_and_pairs(text: str) -> list[str]:
    """Words and marks, and each with the next."""
    words = re.findall(r"\w+|[^\w\s]", text.lower())
    return words + [f"{one} {other}" for one, other in pairwise(words)]


def _interval(is_right: np.ndarray[Any, Any], groups: np.ndarray[Any, Any]) -> tuple[float, float]:
    """95 % by the bootstrap over prompts: answers to one prompt, and sides of one battle, hang
    together."""
    right = np.bincount(groups, weights=is_right)
    total = np.bincount(groups)
    drawn = np.random.default_rng(0).integers(len(total), size=(REPLICATES, len(total)))
    shares = right[drawn].sum(axis=1) / total[drawn].sum(axis=1)
    lower, upper = np.quantile(shares, [0.025, 0.975])
    return float(lower), float(upper)


def prompts(count: int) -> list[str]:
    """`count` prompts, the same ones again when they run out."""
    return [f"What is there to say about {SUBJECTS[n % len(SUBJECTS)]}?" for n in range(count)]


def _scripted(pacing: str, battles: int) -> tuple[list[SeenBattle], int]:
    """Battles of the scripted models on a product of their own."""
    endpoint_port, port = free_port(), free_port()
    toml = '[[organizations]]\nslug = "voices"\nname = "Voices"\n' + "".join(
        f'[[models]]\nslug = "{slug}"\nname = "{slug}"\norganization = "voices"\n'
        f'category = "chat"\n[[models.endpoints]]\nname = "{slug}"\n'
        f'base_url = "http://127.0.0.1:{endpoint_port}/v1"\nconcurrency = 64\n'
        for slug in MODELS
    )
    url = f"http://127.0.0.1:{port}"
    serve = (
        "-m", "uvicorn", "config.asgi:application", "--port", str(port),
        "--no-access-log", "--no-proxy-headers", "--log-level", "warning",
    )  # fmt: skip
    with (
        program(
            "-m", "benchmarks.voiced_endpoint", "--port", str(endpoint_port),
            env={}, answers=f"http://127.0.0.1:{endpoint_port}/v1/models",
        ),
        database(toml) as env,
        program(*serve, env={**env, "ARENA_PACING": pacing}, answers=f"{url}/healthz"),
    ):  # fmt: skip
        asyncio.run(battles_see(url, prompts(2), at_once=2))  # loads what is loaded lazily
        return asyncio.run(battles_see(url, prompts(battles), at_once=AT_ONCE))


def report(runs: dict[str, list[Attack]]) -> str:
    """A table: what was looked at, and how often the model was named under each pacing."""
    first = next(iter(runs.values()))[0]
    rows = [
        [name, *(_cell(found) for found in found_by_pacing)]
        for name, *found_by_pacing in zip(FEATURES, *runs.values(), strict=True)
    ]
    header = [f"named from ({first.models} models)", *(f"`{pacing}`" for pacing in runs)]
    chance = ["chance", *(f"{attacks[0].chance:.0%}" for attacks in runs.values())]
    return results.markdown_table(header, [*rows, chance])


def _cell(found: Attack) -> str:
    return f"{found.accuracy:.0%} ({found.lower:.0%} to {found.upper:.0%})"


def _told(battles: Sequence[SeenBattle], failed: int) -> str:
    headers = len({battle.headers for battle in battles})
    return (
        f"{len(battles)} battles ({failed} more with a failed answer); "
        f"{headers} kind{'s' * (headers != 1)} of headers"
    )


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.blinding", description=__doc__)
    parser.add_argument("--battles", type=int, help=f"battles of each pacing, {BATTLES} by default")
    parser.add_argument(
        "--quick", action="store_true", help="few battles, nothing to conclude from"
    )
    parser.add_argument("--url", help="attack the arena at this address, with its own pacing")
    parser.add_argument("--write-docs", action="store_true", help="put it into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    count = options.battles or (QUICK_BATTLES if options.quick else BATTLES)
    runs: dict[str, list[Attack]] = {}
    notes = []
    for pacing in ("as it is",) if options.url else PACINGS:
        if options.url:
            battles, failed = asyncio.run(battles_see(options.url, prompts(count), at_once=2))
        else:
            battles, failed = _scripted(pacing, count)
        if len(battles) < 2 * FOLDS:
            sys.exit(f"only {len(battles)} battles came to a vote ({failed} failed): too few")
        told = battles[0].pacing
        seen = sightings(battles)
        runs[told] = [attack(seen, features=features) for features in FEATURES]
        notes.append(f"`{told}`: {_told(battles, failed)}")
        print(notes[-1], flush=True)
    table = report(runs)
    print(table)
    kept = {pacing: [asdict(found) for found in attacks] for pacing, attacks in runs.items()}
    print(f"kept in {results.save('blinding-quick' if options.quick else 'blinding', kept)}")
    if options.write_docs:
        text = f"{results.machine()}\n\n{table}\n\n" + "\n".join(f"- {note}." for note in notes)
        results.write_section("blinding", text)


if __name__ == "__main__":
    main(sys.argv[1:])
