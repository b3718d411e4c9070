"""Votes, the reasons that they may have, and the ledger. A vote is never edited: what can be done
is an entry of the ledger that leaves it out, or lets it count again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from arena import validity
from arena.admin.conversations import STYLE, conversation_shown
from arena.models import LedgerEntry, TurnAnnotation, Vote, VoteReason
from arena.read_only_admin import ReadOnly
from arena.services.exclusions import votes_exclude, votes_reinstate

# Who acts, as the ledger says it: a role, never a person. Django's own log knows the person.
BY = "operator"


class ExclusionForm(forms.Form):
    """Why a person leaves votes out; keys of the funnel."""

    reason = forms.ChoiceField(
        choices=[
            ("rigged", "Part of an attempt to rig the ratings"),
            ("automated", "Cast by a program"),
            ("moderated", "On content that should not stand"),
            ("test", "Made to try something out"),
            ("other", "Something else"),
        ]
    )


@admin.register(Vote)
class VoteAdmin(ReadOnly, admin.ModelAdmin[Vote]):
    list_display = ("id", "choice", "exclusion", "ledger_entry", "cast_at")
    list_filter = ("choice", "exclusion")
    list_select_related = ("ledger_entry", "turn")
    date_hierarchy = "cast_at"
    exclude = ("voter",)
    readonly_fields = ("conversation",)
    actions = ("exclude_votes", "reinstate_votes")

    class Media:
        css = STYLE

    @admin.display
    def conversation(self, vote: Vote) -> SafeString:
        turn = vote.turn
        return conversation_shown(battle_id=turn.battle_id, upto=turn.index)

    def has_exclude_permission(self, request: HttpRequest) -> bool:
        """Whether this operator may say what counts."""
        return request.user.has_perm("arena.change_vote")

    @admin.action(description="Exclude from the ratings, with a reason", permissions=["exclude"])
    def exclude_votes(self, request: HttpRequest, queryset: QuerySet[Vote]) -> HttpResponse | None:
        form = ExclusionForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._ask_reason(request, queryset, form)
        reason = form.cleaned_data["reason"]
        selected = list(queryset)
        done = votes_exclude(votes=[vote.pk for vote in selected], reason=reason, by=BY)
        self._note(request, selected, f"Excluded: {reason}")
        left = len(selected) - done
        self.message_user(
            request,
            f"{done} excluded."
            + (f" {left} did not count already and stay as they were." if left else ""),
            messages.SUCCESS,
        )
        return None

    @admin.action(description="Let count again", permissions=["exclude"])
    def reinstate_votes(self, request: HttpRequest, queryset: QuerySet[Vote]) -> None:
        # What a battle is cannot be undone: named models and spoilt answers never count.
        selected = list(queryset.exclude(exclusion__in=validity.ALWAYS))
        done = votes_reinstate(votes=[vote.pk for vote in selected], by=BY)
        self._note(request, selected, "Reinstated")
        self.message_user(
            request,
            f"{done} count again. Votes that counted, withdrawn ones, and those whose battle can "
            f"never count ({', '.join(validity.ALWAYS)}) stay as they were.",
            messages.SUCCESS,
        )

    def _ask_reason(
        self, request: HttpRequest, queryset: QuerySet[Vote], form: ExclusionForm
    ) -> TemplateResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Exclude votes",
            "opts": self.opts,
            "form": form,
            "count": queryset.count(),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "select_across": request.POST.get("select_across", "0"),
        }
        return TemplateResponse(request, "admin/arena/vote/exclude.html", context)

    @staticmethod
    def _note(request: HttpRequest, votes: list[Vote], what: str) -> None:
        LogEntry.objects.log_actions(
            user_id=str(request.user.pk),
            queryset=votes,
            action_flag=CHANGE,
            change_message=what,
        )


@admin.register(VoteReason)
class VoteReasonAdmin(admin.ModelAdmin[VoteReason]):
    """Reasons are turned off, never deleted: old votes name them."""

    list_display = ("label", "slug", "tone", "position", "is_active")
    list_editable = ("position", "is_active")

    def get_readonly_fields(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: VoteReason | None = None,
    ) -> tuple[str, ...]:
        return ("slug",) if obj else ()

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: VoteReason | None = None,  # noqa: ARG002
    ) -> bool:
        return False


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, admin.ModelAdmin[LedgerEntry]):
    list_display = ("sequence", "kind", "hash")
    list_filter = ("kind",)


@admin.register(TurnAnnotation)
class TurnAnnotationAdmin(ReadOnly, admin.ModelAdmin[TurnAnnotation]):
    list_display = ("turn_id", "language", "categories", "tagger", "problem", "created_at")
    list_filter = ("language", "tagger", "problem")
