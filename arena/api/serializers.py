"""The JSON shapes of battles, for requests, responses and the schema. No logic."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from arena.models import Answer, Battle, Vote


class BattleStartSerializer(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(choices=Battle.Mode.choices, default="battle")
    prompt = serializers.CharField(max_length=8000)
    models = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Slugs: two for side_by_side, one for direct, none for battle.",
    )
    consent = serializers.BooleanField()
    challenge = serializers.CharField(
        required=False, help_text="A solved proof of work, where the arena asks for one."
    )


class TurnAddSerializer(serializers.Serializer[Any]):
    prompt = serializers.CharField(max_length=8000)


class TurnNamedSerializer(serializers.Serializer[Any]):
    turn = serializers.IntegerField(min_value=0)


class VoteCastSerializer(serializers.Serializer[Any]):
    turn = serializers.IntegerField(min_value=0)
    choice = serializers.ChoiceField(choices=Vote.Choice.choices)
    reasons = serializers.ListField(child=serializers.CharField(), required=False)
    ballot = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class AnswerSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Answer.State.choices)
    text = serializers.CharField()
    error = ErrorSerializer(allow_null=True)
    leak = serializers.BooleanField(
        help_text="The assistant has named itself: a vote will not count."
    )


class AnswersSerializer(serializers.Serializer[Any]):
    a = AnswerSerializer()
    b = AnswerSerializer(required=False)


class VoteSerializer(serializers.Serializer[Any]):
    choice = serializers.ChoiceField(choices=Vote.Choice.choices)
    reasons = serializers.ListField(child=serializers.CharField())
    comment = serializers.CharField(allow_blank=True)
    counted = serializers.BooleanField()
    exclusion = serializers.CharField(allow_blank=True)
    cast_at = serializers.DateTimeField()


class TurnSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    prompt = serializers.CharField()
    ballot = serializers.CharField(allow_null=True)
    answers = AnswersSerializer()
    vote = VoteSerializer(allow_null=True)


class RevealedModelSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    organization = serializers.CharField()
    licence = serializers.CharField()
    homepage = serializers.CharField()
    description = serializers.CharField()


class RevealedModelsSerializer(serializers.Serializer[Any]):
    a = RevealedModelSerializer()
    b = RevealedModelSerializer(required=False)


class BattleSerializer(serializers.Serializer[Any]):
    """Made from an `arena.blinding.BattleView`, which decides what may be known."""

    id = serializers.UUIDField()
    mode = serializers.ChoiceField(choices=Battle.Mode.choices)
    state = serializers.ChoiceField(choices=Battle.State.choices)
    turns = TurnSerializer(many=True)
    models = RevealedModelsSerializer(allow_null=True)
    pacing = serializers.CharField(help_text="How fast the answers are shown: none, or common/N.")
    gold_side = serializers.CharField(
        allow_blank=True, help_text="Once revealed: the side that was spoilt on purpose."
    )


class SignedHeadSerializer(serializers.Serializer[Any]):
    """See docs/ledger.md for what exactly is signed."""

    sequence = serializers.IntegerField()
    hash = serializers.CharField()
    signed_at = serializers.CharField()
    key = serializers.CharField()
    signature = serializers.CharField()
