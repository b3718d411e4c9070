"""The signed head of the vote ledger, for everybody to keep."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arena.api.serializers import SignedHeadSerializer
from arena.ledger_heads import head_signed_now


class LedgerHeadView(APIView):
    """Signed at the moment of asking; `manage.py verify_ledger --head FILE` reads the answer."""

    @extend_schema(
        operation_id="ledger_head",
        summary="The newest entry of the vote ledger, signed",
        responses={200: SignedHeadSerializer},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        response = Response(SignedHeadSerializer(head_signed_now()).data)
        response["Cache-Control"] = "no-store"
        return response
