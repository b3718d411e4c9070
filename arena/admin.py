"""Battles and votes in the admin, to look at and not to change: the ledger is the record."""

from __future__ import annotations

from django.contrib import admin

from arena.models import Answer, Battle, LedgerEntry, Turn, TurnAnnotation, Vote
from arena.read_only_admin import ReadOnly


class TurnInline(ReadOnly, admin.StackedInline[Turn, Battle]):
    model = Turn
    fields = ("index", "prompt")
    extra = 0


@admin.register(Battle)
class BattleAdmin(ReadOnly, admin.ModelAdmin[Battle]):
    list_display = ("id", "mode", "model_a", "model_b", "probability", "created_at")
    list_filter = ("mode", "model_a", "model_b")
    list_select_related = ("model_a", "model_b")
    date_hierarchy = "created_at"
    inlines = (TurnInline,)


@admin.register(Answer)
class AnswerAdmin(ReadOnly, admin.ModelAdmin[Answer]):
    list_display = ("turn", "side", "attempt", "state", "error", "finish_reason", "created_at")
    list_filter = ("state", "error")
    list_select_related = ("turn",)


@admin.register(Vote)
class VoteAdmin(ReadOnly, admin.ModelAdmin[Vote]):
    list_display = ("id", "choice", "exclusion", "ledger_entry", "cast_at")
    list_filter = ("choice", "exclusion")
    list_select_related = ("ledger_entry",)
    date_hierarchy = "cast_at"
    exclude = ("voter",)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, admin.ModelAdmin[LedgerEntry]):
    list_display = ("sequence", "kind", "hash")
    list_filter = ("kind",)


@admin.register(TurnAnnotation)
class TurnAnnotationAdmin(ReadOnly, admin.ModelAdmin[TurnAnnotation]):
    list_display = ("turn_id", "language", "categories", "tagger", "problem", "created_at")
    list_filter = ("language", "tagger", "problem")
