"""A review tells what voters are like, flags the unusual, and leaves votes out for reasons only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from arena.ledger import ledger_head
from arena.models import Answer, Battle, LedgerEntry, Turn, Vote, Voter, VoteSecret
from arena.services.exclusions import votes_reinstate
from inference.models import LanguageModel
from ratings.boards import EXCLUDE_FLAGGED, OVERALL_BOARD, Board
from ratings.models import RatingSnapshot, VoterFlag, VoterQuality, VoterReview
from ratings.selectors.voters import behaviours, sequences_digest, site_voting
from ratings.services import boards_fit, voters_review
from ratings.verification import snapshot_verify
from tests.ratings.arena_votes import vote, votes_by

Contestants = Mapping[str, LanguageModel]
ORDER = ("ada", "bea", "cyd", "dot")


def cast(
    contestants: Contestants, voter: Voter, times: int, *, turned: bool = False, seed: int = 0
) -> list[Vote]:
    """Votes on random pairs for the model that comes first in ORDER, or `turned` for the other."""
    random = np.random.default_rng(seed)
    pairs = list(combinations(ORDER, 2))
    ballots = []
    for _ in range(times):
        better, worse = pairs[random.integers(len(pairs))]
        first, second = (better, worse) if random.random() < 0.5 else (worse, better)
        choice = "a" if (first == better) != turned else "b"
        ballots.append((contestants[first], contestants[second], choice))
    return votes_by(voter, ballots)


def gold(contestants: Contestants, voter: Voter, times: int) -> None:
    """Gold battles that the voter fails."""
    for _ in range(times):
        vote(contestants["ada"], contestants["bea"], "b", voter=voter, gold_side="b")


@pytest.fixture
def crowd(contestants: Contestants) -> list[Voter]:
    """Twelve voters who agree, with 20 votes each."""
    voters = [Voter.objects.create() for _ in range(12)]
    for seed, voter in enumerate(voters):
        cast(contestants, voter, 20, seed=seed)
    return voters


@pytest.fixture
def contrarian(crowd: list[Voter], contestants: Contestants) -> Voter:
    """Another whose 40 votes all contradict the others."""
    voter = Voter.objects.create()
    cast(contestants, voter, 40, turned=True, seed=20)
    return voter


def begin(contestants: Contestants, voter: Voter, first: str, second: str, **values: Any) -> Turn:
    """A battle of some hours ago with both answers, on which nobody has voted."""
    battle = Battle.objects.create(
        voter=voter, model_a=contestants[first], model_b=contestants[second],
        sampler="uniform/1", probability=0.5, consent_version="test", **values,
    )  # fmt: skip
    Battle.objects.filter(pk=battle.pk).update(created_at=timezone.now() - timedelta(hours=5))
    turn = Turn.objects.create(battle=battle, index=0, prompt="Well?")
    answered([turn])
    return turn


def answered(turns: Sequence[Turn]) -> None:
    Answer.objects.bulk_create(
        Answer(turn=turn, side=side, state=Answer.State.COMPLETE, text="Certainly.")
        for turn in turns
        for side in "ab"
    )


def choosy(contestants: Contestants, *, against: int) -> Voter:
    """Votes on 30 battles with cyd, `against` of them for what comes after it in ORDER or against
    what comes before; leaves 60 others, and the battles are some hours old."""
    voter = Voter.objects.create()
    others = ("ada", "bea", "dot")
    ballots = []
    for number in range(30):
        other = others[number % 3]
        for_cyd = (number < against) != (other == "dot")
        ballots.append((contestants["cyd"], contestants[other], "a" if for_cyd else "b"))
    answered([one.turn for one in votes_by(voter, ballots)])
    for number in range(60):
        begin(contestants, voter, others[number % 3], others[(number + 1) % 3])
    Battle.objects.filter(voter=voter).update(created_at=timezone.now() - timedelta(hours=5))
    return voter


def exclusions(voter: Voter) -> set[str]:
    return set(Vote.objects.filter(voter=voter).values_list("exclusion", flat=True))


def test_a_contrarian_is_flagged_and_every_vote_goes_on_counting(
    crowd: list[Voter], contrarian: Voter
) -> None:
    review = voters_review()

    flag = VoterFlag.objects.get()
    assert (flag.voter, flag.review, flag.signs) == (contrarian, review, [])
    assert flag.test == "against"
    assert flag.adjusted_p <= review.level
    assert flag.details["agreement"] < flag.details["agreement_expected"]
    assert (review.voters, review.tested, review.votes) == (13, 13, 280)
    assert not LedgerEntry.objects.exclude(kind=LedgerEntry.Kind.VOTE).exists()


def test_numbers_of_each_voter_are_kept_of_the_newest_review(
    crowd: list[Voter], contrarian: Voter, contestants: Contestants
) -> None:
    voters_review()
    cast(contestants, crowd[0], 1)

    review = voters_review()

    assert VoterReview.objects.count() == 2
    assert set(VoterQuality.objects.values_list("review", flat=True)) == {review.pk}
    quality = {each.voter_id: each for each in VoterQuality.objects.all()}
    assert quality[crowd[0].pk].votes == 21
    assert quality[crowd[0].pk].agreement == 1
    assert quality[contrarian.pk].agreement == 0


def test_a_flag_and_a_sign_together_leave_votes_out_and_can_be_undone(
    crowd: list[Voter], contrarian: Voter, contestants: Contestants
) -> None:
    # Two of three failed: a sign, and not yet enough by itself among thirteen voters.
    gold(contestants, contrarian, 2)
    vote(contestants["ada"], contestants["bea"], "a", voter=contrarian, gold_side="b")
    for voter in crowd:
        vote(contestants["ada"], contestants["bea"], "a", voter=voter, gold_side="b")

    voters_review()

    assert VoterFlag.objects.get().signs == ["gold"]
    assert exclusions(contrarian) == {"outlier", "gold"}
    assert all(exclusions(voter) == {"", "gold"} for voter in crowd)
    entry = LedgerEntry.objects.order_by("sequence").last()
    assert entry is not None
    assert '"by":"rules/voter-tests/1"' in entry.payload

    # Still looked at, and still out, when nothing of theirs counts.
    cast(contestants, crowd[0], 1)
    voters_review()
    assert VoterFlag.objects.filter(voter=contrarian).count() == 2
    assert exclusions(contrarian) == {"outlier", "gold"}

    # A person has the last word.
    votes_reinstate(
        votes=list(Vote.objects.filter(exclusion="outlier").values_list("pk", flat=True)),
        by="admin",
    )
    voters_review()
    assert exclusions(contrarian) == {"", "gold"}


def test_votes_count_again_when_nothing_speaks_against_their_voter_any_more(
    crowd: list[Voter], contrarian: Voter, contestants: Contestants
) -> None:
    gold(contestants, contrarian, 2)
    for voter in crowd:
        vote(contestants["ada"], contestants["bea"], "a", voter=voter, gold_side="b")
    voters_review()
    assert "" not in exclusions(contrarian)

    # Twenty gold battles passed: two slips of 22 are what anybody has.
    for _ in range(20):
        vote(contestants["ada"], contestants["bea"], "a", voter=contrarian, gold_side="b")
    voters_review()

    assert exclusions(contrarian) == {"", "gold"}


def test_an_answer_too_short_to_be_spoilt_fails_nobody(
    crowd: list[Voter], contestants: Contestants
) -> None:
    for _ in range(6):
        vote(
            contestants["ada"], contestants["bea"], "b",
            answer="42", voter=crowd[2], gold_side="b",
        )  # fmt: skip

    voters_review()

    assert exclusions(crowd[2]) == {"", "gold"}


def test_who_fails_gold_battles_time_and_again_is_left_out_for_that(
    crowd: list[Voter], contestants: Contestants
) -> None:
    careless = crowd[2]
    gold(contestants, careless, 4)

    voters_review()

    assert exclusions(careless) == {"gold_failed", "gold"}
    assert not VoterFlag.objects.exists()
    quality = VoterQuality.objects.get(voter=careless)
    assert (quality.gold_seen, quality.gold_failed) == (4, 4)


def test_who_votes_only_where_one_model_is_and_for_it_is_left_out(
    crowd: list[Voter], contestants: Contestants
) -> None:
    rigger = choosy(contestants, against=30)

    voters_review()

    flag = VoterFlag.objects.get()
    assert flag.voter == rigger
    told = flag.details["selection"]
    assert (told["model"], told["battles_with_model"], told["voted_with_model"]) == ("cyd", 30, 30)
    assert told["battles"] > told["voted"] == 30
    assert {"selective", "lean"} & set(flag.signs)
    assert exclusions(rigger) == {"outlier"}
    assert all(exclusions(voter) == {""} for voter in crowd)

    # Votes where cyd is not, as others have them: nothing is left of the selection.
    left = Battle.objects.filter(voter=rigger, turns__vote=None)
    pairs = list(left.values_list("model_a__slug", "model_b__slug"))
    left.update(mode=Battle.Mode.SIDE_BY_SIDE)
    ballots = [
        (contestants[a], contestants[b], "a" if ORDER.index(a) < ORDER.index(b) else "b")
        for a, b in pairs
    ]
    answered([one.turn for one in votes_by(rigger, ballots)])
    Battle.objects.filter(voter=rigger).update(created_at=timezone.now() - timedelta(hours=5))
    voters_review()
    assert exclusions(rigger) == {""}


def test_who_votes_only_where_one_model_is_and_as_others_do_is_flagged_and_counts(
    crowd: list[Voter], contestants: Contestants
) -> None:
    picky = choosy(contestants, against=0)
    for voter in crowd:
        begin(contestants, voter, "ada", "bea")

    review = voters_review()

    flag = VoterFlag.objects.get()
    assert (flag.voter, flag.test, flag.signs) == (picky, "selective", [])
    assert flag.adjusted_p <= 0.01
    assert exclusions(picky) == {""}
    board = boards_fit()[Board(EXCLUDE_FLAGGED)]
    assert board.funnel["flagged"] == 30
    assert review.flags.count() == 1


def test_nothing_new_is_no_new_review(crowd: list[Voter]) -> None:
    first = voters_review()

    assert voters_review() == first
    assert first.ledger_sequence == ledger_head()["sequence"]


def test_no_votes_at_all_can_be_reviewed(db: None) -> None:
    review = voters_review()

    assert (review.voters, review.votes) == (0, 0)
    assert review.site["first_share"] is None


def test_an_erased_voter_is_not_spoken_of(crowd: list[Voter], contrarian: Voter) -> None:
    VoteSecret.objects.filter(vote__voter=contrarian).delete()

    review = voters_review()

    assert review.voters == 12
    assert not VoterFlag.objects.exists()
    assert not VoterQuality.objects.filter(voter=contrarian).exists()


def test_the_board_without_flagged_voters_is_shown_beside_and_can_be_verified(
    crowd: list[Voter], contrarian: Voter
) -> None:
    before = boards_fit()[Board(EXCLUDE_FLAGGED)]
    review = voters_review()

    fitted = boards_fit()

    board, overall = fitted[Board(EXCLUDE_FLAGGED)], fitted[OVERALL_BOARD]
    assert before.notes[-1] == "No voters have been tested yet: nobody is left out."
    assert (before.funnel["counted"], overall.funnel["counted"]) == (280, 280)
    assert (board.funnel["counted"], board.funnel["flagged"]) == (240, 40)
    mine = Vote.objects.filter(voter=contrarian).order_by("ledger_entry")
    left_out = list(mine.values_list("ledger_entry_id", flat=True))
    assert board.left_out == left_out
    assert board.parameters["left_out"] == {
        "votes": 40,
        "sequences_sha256": sequences_digest(left_out),
        "review": review.pk,
        "version": review.version,
    }
    assert "Leaves out 40 votes of 1 voters" in board.notes[-1]
    rating = {
        snapshot: snapshot.entries.get(model__slug="ada").votes for snapshot in (board, overall)
    }
    assert rating[board] < rating[overall]
    for snapshot in (board, fitted[Board(EXCLUDE_FLAGGED, True)], before):
        assert snapshot_verify(snapshot=snapshot, progress=lambda _: None).difference == ""


def test_other_votes_left_out_than_were_published_are_a_difference(
    crowd: list[Voter], contrarian: Voter
) -> None:
    voters_review()
    snapshot = boards_fit(categories=[EXCLUDE_FLAGGED])[Board(EXCLUDE_FLAGGED)]
    RatingSnapshot.objects.filter(pk=snapshot.pk).update(left_out=snapshot.left_out[1:])
    snapshot.refresh_from_db()

    found = snapshot_verify(snapshot=snapshot, progress=lambda _: None)

    assert "not those of the digest" in found.difference


def test_what_voters_did_is_told_apart_from_what_they_voted_for(contestants: Contestants) -> None:
    ada, bea = contestants["ada"], contestants["bea"]
    voter = Voter.objects.create()
    vote(ada, bea, "a", voter=voter, prompt="Again?")
    vote(bea, ada, "b", voter=voter, prompt="Again?")
    vote(ada, bea, "b", voter=voter, prompt="Again?")
    late = vote(ada, bea, "tie", voter=voter, prompt="Something else?")
    moment = timezone.now()
    Answer.objects.filter(turn=late.turn).update(finished_at=moment)
    Vote.objects.filter(pk=late.pk).update(cast_at=moment + timedelta(seconds=12))
    fast = vote(ada, bea, "a", voter=voter)
    Vote.objects.filter(pk=fast.pk).update(exclusion="too_fast")

    found = behaviours()[voter.pk]

    assert (found.votes, found.too_fast) == (5, 1)
    assert (found.retests, found.retests_same, found.retests_reversed) == (2, 1, 1)
    assert found.seconds == pytest.approx(12)


def test_only_sums_of_all_voters_are_published(crowd: list[Voter], contrarian: Voter) -> None:
    assert site_voting() is None
    voters_review()

    published = site_voting()

    assert published is not None
    assert published["flagged"] == 1
    assert published["first_share"]["votes"] == 280
    assert published["first_share"]["lower"] < 0.5 < published["first_share"]["upper"]
    assert published["tie_share"]["value"] == 0
    people = [str(pk) for pk in Voter.objects.values_list("pk", flat=True)]
    assert not any(person in str(published) for person in people)
