"""The leaderboard page shows the board that its address names."""

from __future__ import annotations

import pytest
from django.test import Client

from frontend.categories import category_options
from inference.models import LanguageModel, Organization
from ratings.models import RatingSnapshot


def test_categories_have_names_and_own_tags_are_their_own() -> None:
    assert category_options(["overall", "de", "coding", "house-tag"]) == [
        ("overall", "All votes"),
        ("de", "German"),
        ("coding", "Coding"),
        ("house-tag", "house-tag"),
    ]


@pytest.fixture
def styled(db: None) -> RatingSnapshot:
    """A board of coding, adjusted for style, of few voters."""
    snapshot = RatingSnapshot.objects.create(
        method="bradley-terry",
        filters={"category": "coding", "style_control": True},
        parameters={},
        seed=0,
        versions={},
        ledger_sequence=1,
        ledger_hash="0" * 64,
        funnel={"raw": 2, "counted": 2},
        cells=[],
        input_digest="0" * 64,
        effects=[{"name": "length", "value": 0.25, "se": 0.1, "lower": 0.05, "upper": 0.45}],
    )
    maker = Organization.objects.create(slug="acme", name="Acme")
    for number in (1, 2):
        model = LanguageModel.objects.create(
            slug=f"m{number}", name=f"Model {number}", organization=maker
        )
        snapshot.entries.create(
            model=model, rating=1000.0 + number, rank=3 - number, rank_low=1, rank_high=2, votes=2,
            reason="too few voters for an interval",
        )  # fmt: skip
    return snapshot


def test_the_address_names_the_board(styled: RatingSnapshot, client: Client) -> None:
    page = client.get("/leaderboard/?category=coding&style_control=true").content.decode()
    overall = client.get("/leaderboard/").content.decode()

    assert str(styled.pk) in page
    assert '<option value="coding" selected>Coding</option>' in page
    assert 'value="true" checked' in page
    assert "/api/v1/leaderboard/?category=coding&amp;style_control=true" in page
    assert "0.05 to 0.45" in page
    assert str(styled.pk) not in overall


def test_a_rating_without_interval_says_so(styled: RatingSnapshot, client: Client) -> None:
    page = client.get("/leaderboard/?category=coding&style_control=true").content.decode()

    assert page.count('title="too few voters for an interval">no interval<') == 2
    assert "1\N{EN DASH}2" in page


@pytest.mark.django_db
def test_a_category_that_does_not_exist_is_not_found(client: Client) -> None:
    assert client.get("/leaderboard/?category=poetry").status_code == 404
