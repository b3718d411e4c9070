"""Reviews of the voters: tests and numbers of each, stored; votes left out where both a flag and a
sign speak against a voter, or gold battles do by themselves.

A flag is for unusual votes, or for voting where one model is and leaving other battles. The second
is followed by something only where the votes on that model are unusual besides.

Disagreeing with the others never excludes by itself. What a review left out it lets count again
when it finds no reason any more, and what a person let count again it leaves alone. Knows nothing
of ratings.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any

import numpy as np
from django.db import transaction
from scipy.special import ndtri

from arena.ledger import ledger_head
from arena.services.exclusions import votes_exclude, votes_reinstate
from inference.models import LanguageModel
from ratings.core.voter_quality import (
    Share,
    VoterQualities,
    first_share,
    tie_share,
    wilson,
)
from ratings.core.voter_tests import (
    FEWEST_DECIDED,
    TESTS,
    VERSION,
    VoterVotes,
)
from ratings.models import VoterFlag, VoterQuality, VoterReview
from ratings.selectors.meetings import met_models
from ratings.selectors.voters import (
    Behaviour,
    ReviewedVotes,
    behaviours,
    review_latest,
    reviewed_votes,
    voters_of,
    votes_excluded_by,
    votes_of,
    votes_reinstated_by_person,
)
from ratings.services.locking import fits_lock
from ratings.services.votes import votes_fold
from ratings.voter_looks import VotersLooked, voters_looked
from ratings.voter_selections import TEST as SELECTION
from ratings.voter_signs import LEAN, SELECTIVE, gold_p_values

RULES = "rules/voter-tests"
BY = f"rules/{VERSION}"
LEVEL = 0.05
SEED = 20_260_101
OUTLIER, GOLD_FAILED = "outlier", "gold_failed"

# Excluded votes count again when nothing is left of what spoke against their voter, which is more
# than that the threshold is missed: nobody goes out and in with every few votes.
_CLEARED = 0.05


def voters_review(*, level: float = LEVEL) -> VoterReview:
    """Test and describe every voter as of now; return the review, the newest where nothing is new.

    Votes are read under the lock of fits, and looked at without it. Raises FoldError as fits do.
    """
    head = ledger_head()["sequence"]
    newest = review_latest()
    if newest and (newest.ledger_sequence, newest.version) == (head, VERSION):
        return newest
    with transaction.atomic():
        fits_lock(wait=True)
        votes_fold(upto=head)
        votes = reviewed_votes()
        known = voters_of(votes.of.tolist())
        acted = behaviours()
        met = met_models()
    looked = voters_looked(votes, known, acted, met, level=level, seed=SEED)
    with transaction.atomic():
        # Of two reviews at one moment, the second finds the numbers of the first and replaces them.
        fits_lock(wait=True)
        review = _store(looked, votes, acted, head=head, level=level)
    _exclude(looked, acted, level)
    return review


def _store(
    looked: VotersLooked,
    votes: ReviewedVotes,
    acted: dict[uuid.UUID, Behaviour],
    *,
    head: int,
    level: float,
) -> VoterReview:
    tests = looked.tests
    told = {*looked.models.tolist(), *(one.model for one in looked.selected.values())}
    slugs = dict(LanguageModel.objects.filter(pk__in=told).values_list("pk", "slug"))
    named = [slugs[int(model)] for model in looked.models]
    review = VoterReview.objects.create(
        ledger_sequence=head,
        version=VERSION,
        level=level,
        seed=SEED,
        voters=len(looked.ids),
        tested=int(tests.tested.sum()),
        votes=len(votes.voter),
        taste_sd=tests.taste_sd,
        site=_site(votes, acted.values()),
        models_favoured=[
            {
                "slug": named[row],
                "excess": round(float(tests.models.excess[row]), 1),
                "adjusted_p": float(tests.models.adjusted_p[row]),
            }
            for row in np.flatnonzero(tests.models.flagged)
        ],
        notes=list(tests.notes),
    )
    VoterFlag.objects.bulk_create(
        _flag(looked, review, voter, int(row), found, slugs)
        for voter, row, found in zip(looked.ids, looked.rows, looked.signs, strict=True)
        if tests.flagged[row] or looked.is_selective(voter)
    )
    VoterQuality.objects.all().delete()
    VoterQuality.objects.bulk_create(
        (
            _quality(review, voter, int(row), looked.quality, one)
            for voter, row, one in zip(looked.ids, looked.rows, looked.behaviour, strict=True)
            if looked.quality.votes[row] >= FEWEST_DECIDED
        ),
        batch_size=1000,
    )
    return review


def _flag(
    looked: VotersLooked,
    review: VoterReview,
    voter: uuid.UUID,
    row: int,
    signs: list[str],
    slugs: dict[int, str],
) -> VoterFlag:
    """One flag a voter: for unusual votes, with selection as a sign, or for selection alone."""
    tests, quality = looked.tests, looked.quality
    details: dict[str, Any] = {"decided": int(quality.decided[row])}
    if looked.is_selective(voter):
        selection = looked.selected[voter]
        details["selection"] = selection.details(slugs[selection.model])
        signs = [*signs, *([LEAN] if selection.leans else [])]
        if not tests.flagged[row]:
            return VoterFlag(
                review=review,
                voter_id=voter,
                test=SELECTION,
                statistic=float(-ndtri(max(selection.p_value, 1e-300))),
                p_value=selection.p_value,
                adjusted_p=selection.adjusted_p,
                signs=sorted(signs),
                details=details,
            )
        signs.append(SELECTIVE)
    return VoterFlag(
        review=review,
        voter_id=voter,
        test=TESTS[tests.test[row]],
        statistic=float(tests.statistic[row]),
        p_value=float(tests.p_value[row]),
        adjusted_p=float(tests.adjusted_p[row]),
        signs=sorted(signs),
        details={
            **details,
            "model": slugs[int(looked.models[tests.model[row]])],
            "lean": float(tests.lean[row]),
            "agreement": _number(quality.agreement[row]),
            "agreement_expected": _number(quality.agreement_expected[row]),
        },
    )


def _quality(
    review: VoterReview, voter: uuid.UUID, row: int, quality: VoterQualities, one: Behaviour
) -> VoterQuality:
    names = (
        "first", "first_excess", "first_lower", "first_upper", "first_p", "agreement",
        "agreement_lower", "agreement_upper", "agreement_expected",
    )  # fmt: skip
    return VoterQuality(
        review=review,
        voter_id=voter,
        ties=float(quality.ties[row]),
        **{name: _number(getattr(quality, name)[row]) for name in names},
        **{**asdict(one), "votes": int(quality.votes[row])},
    )


def _site(votes: ReviewedVotes, acted: Collection[Behaviour]) -> dict[str, Any]:
    """What is published of all voters together, see `ratings.selectors.voters.site_voting`."""
    arrays = VoterVotes(votes.model_a, votes.model_b, votes.outcome, votes.voter)
    again = sum(one.retests for one in acted)
    same = sum(one.retests_same for one in acted)
    retest = None
    if again:
        lower, upper = wilson(np.array([same]), np.array([again]))
        retest = Share(again, same / again, float(lower[0]), float(upper[0]))
    seconds = [one.seconds for one in acted if one.seconds is not None]
    shares = {
        "first_share": first_share(arrays),
        "tie_share": tie_share(arrays),
        "retest_share": retest,
    }
    return {
        **{name: share and asdict(share) for name, share in shares.items()},
        "gold_seen": sum(one.gold_seen for one in acted),
        "gold_failed": sum(one.gold_failed for one in acted),
        "median_seconds": float(np.median(seconds)) if seconds else None,
    }


def _exclude(looked: VotersLooked, acted: dict[uuid.UUID, Behaviour], level: float) -> None:
    """Leave out and let count again what follows from this review, reason by reason."""
    unusual = dict(zip(looked.ids, looked.tests.p_value[looked.rows].tolist(), strict=True))
    corroborated = {
        voter: bool(found) or looked.is_selective(voter)
        for voter, found in zip(looked.ids, looked.signs, strict=True)
    }
    selected = looked.selected
    flagged = dict(zip(looked.ids, looked.tests.flagged[looked.rows].tolist(), strict=True))
    plain, adjusted = gold_p_values(list(acted.values()))
    gold = dict(zip(acted, plain.tolist(), strict=True))
    failed = {voter for voter, p in zip(acted, adjusted.tolist(), strict=True) if p <= level}
    outliers = {
        voter
        for voter in flagged
        if (flagged[voter] and corroborated[voter]) or (voter in selected and selected[voter].leans)
    }
    _apply(GOLD_FAILED, failed, lambda voter: gold.get(voter, 1.0) > _CLEARED)
    _apply(
        OUTLIER,
        outliers,
        lambda voter: (
            (unusual.get(voter, 1.0) > _CLEARED or not corroborated.get(voter))
            and not (voter in selected and selected[voter].speaks)
        ),
    )


def _apply(
    reason: str, guilty: Collection[uuid.UUID], is_cleared: Callable[[uuid.UUID], bool]
) -> None:
    cleared = [
        vote
        for vote, voter in votes_excluded_by(RULES, reason=reason).items()
        if voter not in guilty and is_cleared(voter)
    ]
    if cleared:
        votes_reinstate(votes=cleared, reason=reason, by=BY)
    counting = votes_of(guilty, exclusion="")
    chosen = set(counting) - votes_reinstated_by_person(counting)
    if chosen:
        votes_exclude(votes=chosen, reason=reason, by=BY)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
