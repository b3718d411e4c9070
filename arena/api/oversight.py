"""Reports of answers, and what voters say of their votes. Views call services; no rules."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arena.api.serializers import BattleSerializer
from arena.api.views import BattleAPIView
from arena.models import AnswerReport, VoteReason
from arena.selectors.oversight import vote_reasons
from arena.services.feedback import vote_feedback
from arena.services.reports import answer_report
from arena.voters import address_of


class AnswerReportSerializer(serializers.Serializer[Any]):
    turn = serializers.IntegerField(min_value=0)
    side = serializers.ChoiceField(choices=["a", "b"])
    reason = serializers.ChoiceField(choices=AnswerReport.Reason.choices)
    note = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class ReportStateSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=AnswerReport.State.choices)


class VoteFeedbackSerializer(serializers.Serializer[Any]):
    turn = serializers.IntegerField(min_value=0)
    reasons = serializers.ListField(child=serializers.CharField(), required=False)
    comment = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class VoteReasonSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field may have that name
    tone = serializers.ChoiceField(choices=VoteReason.Tone.choices)


class VoteReasonsSerializer(serializers.Serializer[Any]):
    results = VoteReasonSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ReportView(BattleAPIView):
    @extend_schema(
        operation_id="answer_report",
        summary="Report an answer to the moderators of this arena",
        request=AnswerReportSerializer,
        responses={201: ReportStateSerializer},
    )
    def post(self, request: Request, battle_id: uuid.UUID) -> Response:
        body = self.body()
        report = answer_report(
            voter_id=self.voter_id(),
            address=address_of(request),
            battle_id=battle_id,
            turn_index=body.get("turn"),
            side=body.get("side"),
            reason=body.get("reason"),
            note=body.get("note", ""),
        )
        return Response(ReportStateSerializer(report).data, status=status.HTTP_201_CREATED)


class FeedbackView(BattleAPIView):
    @extend_schema(
        operation_id="vote_feedback",
        summary="Say why one voted as one did; replaces what was said before",
        request=VoteFeedbackSerializer,
        responses={200: BattleSerializer},
    )
    def post(self, request: Request, battle_id: uuid.UUID) -> Response:  # noqa: ARG002
        body = self.body()
        voter_id = self.voter_id()
        vote_feedback(
            voter_id=voter_id,
            battle_id=battle_id,
            turn_index=body.get("turn"),
            reasons=body.get("reasons", ()),
            comment=body.get("comment", ""),
        )
        return self.battle_response(battle_id, voter_id)


class VoteReasonsView(APIView):
    @extend_schema(
        operation_id="vote_reasons",
        summary="The reasons that a vote may have, in the order to show them",
        responses={200: VoteReasonsSerializer},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        listed = {"results": vote_reasons(), "next": None, "previous": None}
        return Response(VoteReasonsSerializer(listed).data)
