"""Admin pages for rows that nobody edits: votes, the ledger, published snapshots."""

from __future__ import annotations

from django.http import HttpRequest


class ReadOnly:
    """No adding, changing or deleting, whatever the permissions of the operator."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        return False
