"""Online Elo is what it is elsewhere, and depends on the order of the votes."""

from __future__ import annotations

import evalica
import numpy as np
import pytest

from ratings.core.elo import online_elo
from ratings.core.outcomes import Outcome, VoteDataError, Votes
from tests.ratings.core.votes import drawn

WINNERS = [
    evalica.Winner.X,
    evalica.Winner.Y,
    evalica.Winner.Draw,
    evalica.Winner.Draw,
]


def written(*rows: tuple[int, int, Outcome], models: int) -> Votes:
    a, b, outcome = np.array(rows).T
    return Votes(a, b, outcome, models)


def test_one_vote_between_equals_moves_half_of_k() -> None:
    ratings = online_elo(written((0, 1, Outcome.A_WINS), models=3), k=32)

    assert ratings.tolist() == [1016, 984, 1000]


def test_a_win_that_was_expected_at_ten_to_one_moves_an_eleventh_of_k() -> None:
    # 400 points apart after one vote with k = 400.
    apart = (0, 1, Outcome.A_WINS)

    ratings = online_elo(written(apart, apart, models=2), k=400, initial=0)

    assert ratings == pytest.approx([200 + 400 / 11, -200 - 400 / 11])


@pytest.mark.parametrize(("k", "scale", "initial"), [(4, 400, 1000), (32, 200, 1500)])
def test_ratings_are_those_of_a_peer(k: float, scale: float, initial: float) -> None:
    a, b, outcome = drawn(8, 3_000, seed=1)

    ours = online_elo(Votes(a, b, outcome, 8), k=k, scale=scale, initial=initial)

    theirs = evalica.elo(
        a.tolist(),
        b.tolist(),
        [WINNERS[said] for said in outcome],
        k=k,
        scale=scale,
        initial=initial,
    )
    assert ours == pytest.approx(theirs.scores[list(range(8))].to_numpy(), abs=1e-8)


def test_both_bad_is_a_tie_or_no_vote() -> None:
    a, b, outcome = drawn(5, 400, seed=2)
    votes = Votes(a, b, outcome, 5)
    kept = outcome != Outcome.BOTH_BAD
    assert not kept.all()

    assert online_elo(votes, both_bad="drop").tolist() == online_elo(votes.selected(kept)).tolist()
    as_ties = Votes(a, b, np.where(kept, outcome, Outcome.TIE), 5)
    assert online_elo(votes).tolist() == online_elo(as_ties).tolist()


def test_the_order_of_the_votes_decides() -> None:
    a, b, outcome = drawn(5, 400, seed=3)
    votes = Votes(a, b, outcome, 5)

    forth, back = online_elo(votes), online_elo(votes.selected(np.arange(400)[::-1]))

    assert np.abs(forth - back).max() > 1
    assert forth.mean() == pytest.approx(1000)


def test_long_streams_are_read_on_where_a_part_ended() -> None:
    a, b, outcome = drawn(4, 70_000, seed=4)

    ours = online_elo(Votes(a, b, outcome, 4))

    theirs = evalica.elo(a.tolist(), b.tolist(), [WINNERS[said] for said in outcome])
    assert ours == pytest.approx(theirs.scores[list(range(4))].to_numpy(), abs=1e-7)


def test_no_votes_leave_everybody_where_they_began() -> None:
    none = np.empty(0, dtype=np.int64)

    assert online_elo(Votes(none, none, none, 2)).tolist() == [1000, 1000]


def test_numbers_that_make_no_sense_are_refused() -> None:
    vote = (0, 1, Outcome.A_WINS)

    with pytest.raises(VoteDataError, match="k is -4"):
        online_elo(written(vote, models=2), k=-4)
    with pytest.raises(VoteDataError, match="scale is nan"):
        online_elo(written(vote, models=2), scale=float("nan"))
    with pytest.raises(VoteDataError, match="too large"):
        online_elo(written(vote, (1, 0, Outcome.A_WINS), models=2), k=1e6, scale=400)
