"""`manage.py simulate_votes`: votes of an imagined arena, to a file, into this arena, or judged."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from arena.services.simulation import RealVotesError, real_votes_refuse
from inference.services import RegistryError
from ratings.services.simulated_arena import (
    registry_models,
    simulated_models_add,
    simulation_cast,
)
from ratings.simulation.kinds import CONDUCT, attack_parsed
from ratings.simulation.report import report
from ratings.simulation.vote_file import refuse_bad_name, votes_write
from ratings.simulation.votes import Simulation, simulate
from ratings.simulation.worlds import SimulationError, World

_WORLD = World()


class Command(BaseCommand):
    help = (
        "Simulate honest voters and attackers. Prints what the attack gains under each defence "
        "and who is found; or writes the votes to a file, or into this arena to look at."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--models",
            type=int,
            help=f"models that are voted on; {_WORLD.models} by default, and with --arena those of "
            "the registry where it has two",
        )
        for name, kind, what in (
            ("voters", int, "honest voters"),
            ("votes", int, "votes of honest voters; attackers come on top of them"),
            ("spread", float, "standard deviation of the models' true ratings, in points"),
            ("tie-share", float, "share of honest votes that are ties"),
            ("taste", float, "standard deviation of a voter's taste for a model, in log-odds"),
            ("vote-share", float, "share of their battles that people vote on, and do not leave"),
            ("gold-rate", float, "share of battles of which one answer is spoilt on purpose"),
            ("days", int, "days over which the votes are spread; --arena casts all of them now"),
            ("variants", int, "copies of the target that its provider submits"),
        ):
            default = getattr(_WORLD, _FIELDS.get(name, name.replace("-", "_")))
            parser.add_argument(
                f"--{name}", type=kind, default=default, help=f"{what}; {default} by default"
            )
        parser.add_argument("--seed", type=int, default=0, help="the same seed, the same votes")
        parser.add_argument(
            "--attack",
            action="append",
            default=[],
            metavar="KIND[=SHARE]",
            help="voters who cast this share of all votes, 0.05 by default; may be given several "
            f"times. Kinds: {', '.join(kind.label for kind in CONDUCT)}",
        )
        target = parser.add_mutually_exclusive_group()
        target.add_argument(
            "--out",
            type=Path,
            metavar="FILE",
            help="write the votes to a .csv, .jsonl or .parquet file that is not there yet",
        )
        target.add_argument(
            "--arena",
            action="store_true",
            help="cast the votes in this arena, which must not hold votes of people",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            if options["arena"]:
                self._cast(options)
            elif options["out"]:
                refuse_bad_name(options["out"])
                simulation = _simulated(options, models=_count(options))
                votes_write(simulation, options["out"])
                self.stdout.write(f"{len(simulation.votes):,} votes in {options['out']}")
            else:
                simulation = _simulated(options, models=_count(options))
                self.stdout.write(report(simulation), ending="")
        except (SimulationError, RealVotesError, RegistryError) as error:
            raise CommandError(str(error)) from error

    def _cast(self, options: dict[str, Any]) -> None:
        known = registry_models() if options["models"] is None else []
        own = len(known) >= 2
        simulation = _simulated(options, models=len(known) if own else _count(options))
        if own and simulation.world.variants > 1:
            raise SimulationError("copies are of made-up models: say how many with --models")
        real_votes_refuse()
        models = known if own else simulated_models_add(names=simulation.world.names)
        with tqdm(
            total=len(simulation.votes), unit=" votes", disable=not sys.stderr.isatty()
        ) as bar:
            counted = simulation_cast(simulation=simulation, models=models, done=bar.update)
        self.stdout.write(
            f"{len(simulation.votes):,} votes cast on {len(models)} models, {counted:,} of them "
            "count; rate them with: manage.py fit_ratings"
        )


_FIELDS = {"taste": "taste_sd"}


def _count(options: dict[str, Any]) -> int:
    return _WORLD.models if options["models"] is None else int(options["models"])


def _simulated(options: dict[str, Any], *, models: int) -> Simulation:
    """The world and attacks that were asked for, simulated. Raises SimulationError."""
    world = World(
        models=models,
        voters=options["voters"],
        votes=options["votes"],
        spread=options["spread"],
        tie_share=options["tie_share"],
        vote_share=options["vote_share"],
        taste_sd=options["taste"],
        gold_rate=options["gold_rate"],
        variants=options["variants"],
        days=options["days"],
    )
    attacks = [attack_parsed(text) for text in options["attack"]]
    return simulate(world, attacks, seed=options["seed"])
