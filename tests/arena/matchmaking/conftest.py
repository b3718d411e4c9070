"""Models without votes for tests of the samplers."""

from __future__ import annotations

import pytest

from inference.models import LanguageModel, Organization


@pytest.fixture
def five_models(db: None) -> dict[str, int]:
    """Slugs to ids, in another order than they are numbered."""
    acme = Organization.objects.create(slug="acme", name="Acme")
    made = {
        slug: LanguageModel.objects.create(slug=slug, name=slug, organization=acme).pk
        for slug in ("cyd", "ada", "eve", "bea", "dot")
    }
    return {slug: made[slug] for slug in sorted(made)}
