"""Operators read snapshots and what is said of voters, and cannot change either."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.test import Client

from arena.models import Voter
from inference.models import LanguageModel
from ratings.models import VoterFlag, VoterQuality
from ratings.services import snapshot_fit, voters_review


def test_a_snapshot_is_shown_and_cannot_be_changed(
    admin_client: Client, admin_user: User, voted: Mapping[str, LanguageModel]
) -> None:
    snapshot = snapshot_fit()
    page = f"/admin/ratings/ratingsnapshot/{snapshot.pk}/change/"

    assert "Model ADA" in admin_client.get(page).content.decode()
    assert admin_client.get("/admin/ratings/ratingsnapshot/").status_code == 200
    assert admin_client.post(page, {"reason": "x"}).status_code == 403
    assert admin_client.get("/admin/ratings/ratingsnapshot/add/").status_code == 403
    assert admin_client.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_reviews_flags_and_numbers_of_voters_are_shown(
    admin_client: Client, admin_user: User, voted: Mapping[str, LanguageModel]
) -> None:
    review = voters_review()
    voter = Voter.objects.all()[0]
    VoterFlag.objects.create(
        review=review, voter=voter, test="against", statistic=5, p_value=0.001, adjusted_p=0.01
    )
    VoterQuality.objects.create(review=review, voter=voter, votes=12, ties=0.25)

    for page in ("voterflag/", "voterquality/", f"voterreview/{review.pk}/change/"):
        answer = admin_client.get(f"/admin/ratings/{page}")
        assert answer.status_code == 200
        assert str(voter) in answer.content.decode()
    assert admin_client.get("/admin/ratings/voterreview/").status_code == 200
    assert admin_client.get("/admin/ratings/voterflag/add/").status_code == 403
