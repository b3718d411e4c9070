"""Battles over REST. Views read the request and call services; no rules."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arena.api.serializers import (
    BattleSerializer,
    BattleStartSerializer,
    TurnAddSerializer,
    TurnNamedSerializer,
    VoteCastSerializer,
)
from arena.errors import BattleNotFoundError, InvalidInputError
from arena.selectors import battle_get_for_voter
from arena.services.battles import battle_regenerate, battle_start, battle_stop, turn_add
from arena.services.exclusions import vote_withdraw
from arena.services.votes import vote_cast
from arena.voters import address_of, voter_id_keep, voter_id_of


class BattleAPIView(APIView):
    """Battles belong to one voter and are never cached. What is sent must be JSON, and say so."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        kind = request.content_type.partition(";")[0].strip()
        if request.method == "POST" and kind not in {"", "application/json"}:
            raise UnsupportedMediaType(kind)

    def voter_id(self) -> uuid.UUID:
        voter_id = voter_id_of(self.request)
        if voter_id is None:
            raise BattleNotFoundError
        return voter_id

    def body(self) -> dict[str, Any]:
        if not isinstance(self.request.data, dict):
            raise InvalidInputError("The body must be a JSON object.")
        return self.request.data

    def battle_response(
        self, battle_id: uuid.UUID, voter_id: uuid.UUID, *, code: int = status.HTTP_200_OK
    ) -> Response:
        view = battle_get_for_voter(battle_id=battle_id, voter_id=voter_id)
        return Response(BattleSerializer(view).data, status=code)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class BattlesView(BattleAPIView):
    @extend_schema(
        operation_id="battle_start",
        summary="Start a battle: two anonymous models, two named ones, or a chat with one",
        request=BattleStartSerializer,
        responses={201: BattleSerializer},
    )
    def post(self, request: Request) -> Response:
        body = self.body()
        voter_id = voter_id_of(request) or uuid.uuid4()
        battle = battle_start(
            voter_id=voter_id,
            address=address_of(request),
            mode=body.get("mode", "battle"),
            prompt=body.get("prompt", ""),
            consent=body.get("consent"),
            models=body.get("models", ()),
            challenge=body.get("challenge"),
        )
        response = self.battle_response(battle.pk, voter_id, code=status.HTTP_201_CREATED)
        voter_id_keep(response, voter_id)
        return response


class BattleView(BattleAPIView):
    @extend_schema(
        operation_id="battle_get", summary="The battle now", responses={200: BattleSerializer}
    )
    def get(self, request: Request, battle_id: uuid.UUID) -> Response:  # noqa: ARG002
        return self.battle_response(battle_id, self.voter_id())


class TurnsView(BattleAPIView):
    @extend_schema(
        operation_id="turn_add",
        summary="Ask both sides something more",
        request=TurnAddSerializer,
        responses={201: BattleSerializer},
    )
    def post(self, request: Request, battle_id: uuid.UUID) -> Response:
        body = self.body()
        voter_id = self.voter_id()
        turn_add(
            voter_id=voter_id,
            address=address_of(request),
            battle_id=battle_id,
            prompt=body.get("prompt", ""),
        )
        return self.battle_response(battle_id, voter_id, code=status.HTTP_201_CREATED)


class VoteView(BattleAPIView):
    @extend_schema(
        operation_id="vote_cast",
        summary="Spend the ballot of one turn, and see who answered",
        request=VoteCastSerializer,
        responses={200: BattleSerializer},
    )
    def post(self, request: Request, battle_id: uuid.UUID) -> Response:
        body = self.body()
        voter_id = self.voter_id()
        vote_cast(
            voter_id=voter_id,
            address=address_of(request),
            battle_id=battle_id,
            turn_index=body.get("turn"),
            choice=body.get("choice"),
            ballot=body.get("ballot"),
            reasons=body.get("reasons", ()),
        )
        return self.battle_response(battle_id, voter_id)


class WithdrawView(BattleAPIView):
    @extend_schema(
        operation_id="vote_withdraw",
        summary="Take back one's own vote, for good; its ballot stays spent",
        request=TurnNamedSerializer,
        responses={200: BattleSerializer},
    )
    def post(self, request: Request, battle_id: uuid.UUID) -> Response:  # noqa: ARG002
        voter_id = self.voter_id()
        vote_withdraw(voter_id=voter_id, battle_id=battle_id, turn_index=self.body().get("turn"))
        return self.battle_response(battle_id, voter_id)


class StopView(BattleAPIView):
    @extend_schema(
        operation_id="battle_stop",
        summary="Stop both answers, keeping what they said",
        request=None,
        responses={200: BattleSerializer},
    )
    def post(self, request: Request, battle_id: uuid.UUID) -> Response:  # noqa: ARG002
        voter_id = self.voter_id()
        battle_stop(voter_id=voter_id, battle_id=battle_id)
        return self.battle_response(battle_id, voter_id)


class RegenerateView(BattleAPIView):
    @extend_schema(
        operation_id="battle_regenerate",
        summary="Ask the same pair again: the sides that failed, or both where none did",
        request=None,
        responses={200: BattleSerializer},
    )
    def post(self, request: Request, battle_id: uuid.UUID) -> Response:
        voter_id = self.voter_id()
        battle_regenerate(voter_id=voter_id, address=address_of(request), battle_id=battle_id)
        return self.battle_response(battle_id, voter_id)
