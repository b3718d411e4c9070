"""A proof of work to solve before a battle, over REST."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arena.challenge import challenge_new
from arena.limits import limit_hit
from arena.voters import address_of, voter_id_of


class ChallengeParametersSerializer(serializers.Serializer[Any]):
    """The fields of ALTCHA, version 2."""

    algorithm = serializers.CharField()
    nonce = serializers.CharField()
    salt = serializers.CharField()
    cost = serializers.IntegerField()
    keyLength = serializers.IntegerField()  # noqa: N815 - ALTCHA's name
    keyPrefix = serializers.CharField()  # noqa: N815
    keySignature = serializers.CharField()  # noqa: N815
    expiresAt = serializers.IntegerField()  # noqa: N815


class ChallengeSerializer(serializers.Serializer[Any]):
    parameters = ChallengeParametersSerializer()
    signature = serializers.CharField()


class ChallengeView(APIView):
    @extend_schema(
        operation_id="challenge_get",
        summary="A proof of work to solve before a battle; 404 where none is asked for",
        responses={200: ChallengeSerializer},
    )
    def get(self, request: Request) -> Response:
        if not settings.ARENA_CHALLENGE:
            raise NotFound("No proof of work is asked for here.")
        # Who has no cookie yet is limited by its network only.
        voter_id = voter_id_of(request) or uuid.uuid4()
        limit_hit(action="challenges", voter_id=voter_id, address=address_of(request))
        challenge = challenge_new(difficulty=settings.ARENA_CHALLENGE, now=timezone.now())
        return Response(challenge)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response
