"""Public reading of who was drawn how often. Knows no rules: the selector decides what is told."""

from __future__ import annotations

from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from arena.selectors.exposure import (
    ModelExposure,
    PairExposure,
    PairingExposure,
    SamplerExposure,
    Turnout,
    pairing_exposure,
)


class TurnoutSerializer(serializers.Serializer[Turnout]):
    battles = serializers.IntegerField()
    answered = serializers.IntegerField()
    votes = serializers.IntegerField()
    vote_rate = serializers.FloatField(allow_null=True)
    vote_rate_lower = serializers.FloatField(allow_null=True)
    vote_rate_upper = serializers.FloatField(allow_null=True)


class SamplerExposureSerializer(serializers.Serializer[SamplerExposure]):
    sampler = serializers.CharField()
    battles = serializers.IntegerField()
    calibration = serializers.FloatField(allow_null=True)
    calibration_standard_error = serializers.FloatField(allow_null=True)


class ModelExposureSerializer(serializers.Serializer[ModelExposure]):
    model = serializers.CharField()
    available = serializers.IntegerField()
    first = TurnoutSerializer()
    second = TurnoutSerializer()


class PairExposureSerializer(serializers.Serializer[PairExposure]):
    model_a = serializers.CharField()
    model_b = serializers.CharField()
    turnout = TurnoutSerializer()
    mean_probability = serializers.FloatField()
    possible = serializers.IntegerField()
    possible_estimated = serializers.FloatField()
    possible_standard_error = serializers.FloatField()


class PairingExposureSerializer(serializers.Serializer[PairingExposure]):
    until = serializers.DateTimeField()
    turnout = TurnoutSerializer()
    samplers = SamplerExposureSerializer(many=True)
    models = ModelExposureSerializer(many=True)
    pairs = PairExposureSerializer(many=True)


@method_decorator([cache_control(no_cache=True), conditional_page], name="dispatch")
class PairingView(APIView):
    """Anybody may read and keep the answer, and asks each time whether it still holds."""

    authentication_classes = ()

    @extend_schema(
        operation_id="pairing",
        summary="How often models were drawn, and how often people then voted",
        responses=PairingExposureSerializer,
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Anonymous battles that began before `until`, a day ago or more."""
        return Response(PairingExposureSerializer(pairing_exposure()).data)
