"""Battles and answers, to look at and not to change."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from arena.admin.conversations import STYLE, conversation_shown
from arena.models import Answer, Battle
from arena.read_only_admin import ReadOnly


@admin.register(Battle)
class BattleAdmin(ReadOnly, admin.ModelAdmin[Battle]):
    list_display = ("id", "mode", "model_a", "model_b", "probability", "created_at")
    list_filter = ("mode", "model_a", "model_b")
    list_select_related = ("model_a", "model_b")
    date_hierarchy = "created_at"
    readonly_fields = ("conversation",)

    class Media:
        css = STYLE

    @admin.display
    def conversation(self, battle: Battle) -> SafeString:
        return conversation_shown(battle_id=battle.pk)


@admin.register(Answer)
class AnswerAdmin(ReadOnly, admin.ModelAdmin[Answer]):
    list_display = (
        "turn",
        "side",
        "attempt",
        "state",
        "error",
        "leak",
        "finish_reason",
        "created_at",
    )
    list_filter = ("state", "error", ("leak", admin.EmptyFieldListFilter))
    list_select_related = ("turn",)
