"""Operators read snapshots and cannot change them."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.test import Client

from inference.models import LanguageModel
from ratings.services import snapshot_fit


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
