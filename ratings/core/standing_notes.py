"""What standings say beside their numbers, a line each: options that change their meaning."""

from __future__ import annotations

from ratings.core.clusters import FEWEST_CLUSTERS
from ratings.core.estimates import Estimates, Sample
from ratings.core.fitting import Shrinkage
from ratings.core.weights import effective_sample_size

INDEPENDENT = "Intervals treat every vote as independent of the others, whoever cast it."


def unfitted_notes(method: str, interval: str, *, ignored: list[str]) -> list[str]:
    """Of methods that fit no model of the votes, which options to fit one change nothing for."""
    notes = []
    if ignored:
        notes.append(f"{method} takes every vote as it is: {', '.join(ignored)} changed nothing.")
    if method == "elo":
        notes.append("Online Elo depends on the order of the votes: a ticker, no ranking.")
    elif interval != "none":
        notes.append(INDEPENDENT)
    return notes


def option_notes(sample: Sample, shrinkage: Shrinkage, *, simultaneous: bool) -> list[str]:
    """Of what was asked for."""
    notes = []
    if not simultaneous:
        notes.append("Rank ranges are pointwise: each holds for one pair of models at a time.")
    if shrinkage.prior:
        notes.append(
            f"Prior: each model has {shrinkage.prior:g} virtual votes against an average player, "
            "half of them won."
        )
    if shrinkage.ridge:
        notes.append(
            f"Ridge: {shrinkage.ridge / 2:g} times the squared log-odds was taken from the "
            "log-likelihood."
        )
    if sample.weights is not None:
        votes = sample.cells.counts.sum(axis=2)
        size = effective_sample_size(sample.weights, votes)
        notes.append(f"Pairs are weighted; the effective number of votes is {size:.0f}.")
    if sample.features is not None:
        notes.append("Ratings are adjusted for style; that says nothing of its causes.")
    return notes


def interval_notes(found: Estimates, interval: str) -> list[str]:
    """Of what the intervals hold for."""
    if interval == "none":
        return []
    if not found.effective_clusters:
        return [INDEPENDENT]
    voters, *prompts = found.effective_clusters
    notes = [
        (
            f"Intervals are clustered by voter: the votes are worth those of {voters:.1f} equally "
            "active voters."
        )
    ]
    if voters < FEWEST_CLUSTERS:
        notes.append(f"Fewer than {FEWEST_CLUSTERS} effective voters: no intervals.")
    elif prompts and prompts[0] >= FEWEST_CLUSTERS:
        notes.append(f"Intervals are clustered by prompt too, worth {prompts[0]:.1f} equal ones.")
    elif prompts:
        notes.append(
            f"The votes are worth only {prompts[0]:.1f} equal prompts: intervals hold for these "
            "prompts, and say nothing of others."
        )
    return notes
