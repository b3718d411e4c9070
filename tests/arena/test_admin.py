"""The admin shows battles, votes and the ledger, and changes none of them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from arena.models import Answer, Battle, LedgerEntry, Vote
from inference.models import Endpoint, LanguageModel
from tests.arena.voter import TestVoter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def voted(two_models):
    voter = TestVoter()
    battle_id = voter.start()
    voter.ended(battle_id)
    return voter.vote(battle_id)


@pytest.mark.parametrize("model", [Battle, Answer, Vote, LedgerEntry])
def test_rows_are_shown_and_take_no_change(admin_client, voted, model):
    name = f"admin:arena_{model._meta.model_name}"
    row = model.objects.first()

    assert admin_client.get(reverse(f"{name}_changelist")).status_code == 200
    page = admin_client.get(reverse(f"{name}_change", args=[row.pk]))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert admin_client.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
    assert admin_client.post(reverse(f"{name}_delete", args=[row.pk]), {}).status_code == 403


def test_models_are_edited_with_their_endpoints_and_never_deleted(admin_client, two_models):
    model = LanguageModel.objects.get(slug="alpha-7b")
    Endpoint.objects.update(problem="refused")

    page = admin_client.get(reverse("admin:inference_languagemodel_change", args=[model.pk]))

    assert b"refused" in page.content
    assert (
        admin_client.post(
            reverse("admin:inference_languagemodel_delete", args=[model.pk])
        ).status_code
        == 403
    )
