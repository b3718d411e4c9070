"""Reviews of the voters: tests and numbers of each, stored; votes left out where both a flag and a
sign speak against a voter, or gold battles do by themselves.

Disagreeing with the others never excludes by itself. What a review left out it lets count again
when it finds no reason any more, and what a person let count again it leaves alone. Knows nothing
of ratings.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db import transaction

from arena.ledger import ledger_head
from arena.services.exclusions import votes_exclude, votes_reinstate
from inference.models import LanguageModel
from ratings.core.outcomes import IntArray
from ratings.core.voter_quality import (
    Share,
    VoterQualities,
    first_share,
    tie_share,
    voter_qualities,
    wilson,
)
from ratings.core.voter_tests import (
    DISTRUSTED,
    FEWEST_DECIDED,
    TESTS,
    VERSION,
    VoterTests,
    VoterVotes,
    outlier_voters,
)
from ratings.models import VoterFlag, VoterQuality, VoterReview
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
from ratings.voter_signs import gold_p_values, signs

RULES = "rules/voter-tests"
BY = f"rules/{VERSION}"
LEVEL = 0.05
SEED = 20_260_101
OUTLIER, GOLD_FAILED = "outlier", "gold_failed"

# Excluded votes count again when nothing is left of what spoke against their voter, which is more
# than that the threshold is missed: nobody goes out and in with every few votes.
_CLEARED = 0.05


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is known of the voters; lists and arrays of shape (voters,), but for `models`, the ids
    that the tests number."""

    ids: list[uuid.UUID]
    rows: IntArray
    tests: VoterTests
    quality: VoterQualities
    behaviour: list[Behaviour]
    signs: list[list[str]]
    models: IntArray


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
    looked = _look(votes, known, acted, level)
    with transaction.atomic():
        # Of two reviews at one moment, the second finds the numbers of the first and replaces them.
        fits_lock(wait=True)
        review = _store(looked, votes, acted, head=head, level=level)
    _exclude(looked, acted, level)
    return review


def _look(
    votes: ReviewedVotes,
    known: dict[int, uuid.UUID],
    acted: dict[uuid.UUID, Behaviour],
    level: float,
) -> _Looked:
    models, numbers = np.unique(np.concatenate([votes.model_a, votes.model_b]), return_inverse=True)
    arrays = VoterVotes(
        numbers[: len(votes.voter)], numbers[len(votes.voter) :], votes.outcome, votes.voter
    )
    tests = outlier_voters(arrays, models=max(len(models), 1), level=level, seed=SEED)
    quality = voter_qualities(
        arrays, models=max(len(models), 1), trusted=tests.p_value > DISTRUSTED
    )
    # Whoever was erased meanwhile is not spoken of.
    rows = np.array(
        [row for row, sequence in enumerate(votes.of.tolist()) if sequence in known], dtype=np.int64
    )
    ids = [known[int(votes.of[row])] for row in rows]
    behaviour = [acted.get(voter, Behaviour()) for voter in ids]
    found = [
        signs(
            one,
            first_excess=float(quality.first_excess[row]),
            first_p=float(quality.first_p[row]),
        )
        for row, one in zip(rows, behaviour, strict=True)
    ]
    return _Looked(ids, rows, tests, quality, behaviour, found, models)


def _store(
    looked: _Looked,
    votes: ReviewedVotes,
    acted: dict[uuid.UUID, Behaviour],
    *,
    head: int,
    level: float,
) -> VoterReview:
    tests = looked.tests
    slugs = dict(
        LanguageModel.objects.filter(pk__in=looked.models.tolist()).values_list("pk", "slug")
    )
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
        VoterFlag(
            review=review,
            voter_id=voter,
            test=TESTS[tests.test[row]],
            statistic=float(tests.statistic[row]),
            p_value=float(tests.p_value[row]),
            adjusted_p=float(tests.adjusted_p[row]),
            signs=found,
            details={
                "decided": int(looked.quality.decided[row]),
                "model": named[tests.model[row]],
                "lean": float(tests.lean[row]),
                "agreement": _number(looked.quality.agreement[row]),
                "agreement_expected": _number(looked.quality.agreement_expected[row]),
            },
        )
        for voter, row, found in zip(looked.ids, looked.rows, looked.signs, strict=True)
        if tests.flagged[row]
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


def _exclude(looked: _Looked, acted: dict[uuid.UUID, Behaviour], level: float) -> None:
    """Leave out and let count again what follows from this review, reason by reason."""
    unusual = dict(zip(looked.ids, looked.tests.p_value[looked.rows].tolist(), strict=True))
    corroborated = dict(zip(looked.ids, looked.signs, strict=True))
    flagged = dict(zip(looked.ids, looked.tests.flagged[looked.rows].tolist(), strict=True))
    plain, adjusted = gold_p_values(list(acted.values()))
    gold = dict(zip(acted, plain.tolist(), strict=True))
    failed = {voter for voter, p in zip(acted, adjusted.tolist(), strict=True) if p <= level}
    outliers = {voter for voter in flagged if flagged[voter] and corroborated[voter]}
    _apply(GOLD_FAILED, failed, lambda voter: gold.get(voter, 1.0) > _CLEARED)
    _apply(
        OUTLIER,
        outliers,
        lambda voter: unusual.get(voter, 1.0) > _CLEARED or not corroborated.get(voter),
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
