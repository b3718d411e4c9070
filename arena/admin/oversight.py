"""What moderators decide: reports, and what follows from the scores of each category.

Reports are decided blind, as they were made: the pages for them name no model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from arena.admin.conversations import STYLE, conversation_shown
from arena.models import AnswerReport, ModerationFinding, ModerationPolicy
from arena.read_only_admin import ReadOnly
from arena.services.reports import report_decide


class OpenFilter(admin.SimpleListFilter):
    """The queue: reports that nobody has decided, unless others are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        decided = [AnswerReport.State.UPHELD, AnswerReport.State.DISMISSED]
        return [*((state.value, str(state.label)) for state in decided), ("all", "All")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        choices = iter(super().choices(changelist))
        # Without a choice Django says "All"; here that is the queue.
        yield {**next(choices), "display": AnswerReport.State.OPEN.label}
        yield from choices

    def queryset(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[AnswerReport],
    ) -> QuerySet[AnswerReport]:
        value = self.value()
        return queryset if value == "all" else queryset.filter(state=value or "open")


@admin.register(AnswerReport)
class AnswerReportAdmin(ReadOnly, admin.ModelAdmin[AnswerReport]):
    list_display = ("created_at", "reason", "answer", "state", "decided_by", "decided_at")
    list_filter = (OpenFilter, "reason")
    list_select_related = ("answer__turn", "decided_by")
    ordering = ("created_at",)
    fields = (
        "reason",
        "note",
        "state",
        "decided_by",
        "decided_at",
        "created_at",
        "conversation",
    )
    readonly_fields = ("conversation",)
    actions = ("uphold", "dismiss")

    class Media:
        css = STYLE

    @admin.display
    def conversation(self, report: AnswerReport) -> SafeString:
        turn = report.answer.turn
        return conversation_shown(
            battle_id=turn.battle_id, upto=turn.index, reported=report.answer_id
        )

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether this operator is a moderator."""
        return request.user.has_perm("arena.change_answerreport")

    @admin.action(
        description="Uphold: withhold the answers, votes on them do not count",
        permissions=["decide"],
    )
    def uphold(self, request: HttpRequest, queryset: QuerySet[AnswerReport]) -> None:
        self._decide(request, list(queryset), uphold=True)

    @admin.action(description="Dismiss", permissions=["decide"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[AnswerReport]) -> None:
        self._decide(request, list(queryset), uphold=False)

    def _decide(self, request: HttpRequest, reports: list[AnswerReport], *, uphold: bool) -> None:
        for report in reports:
            decided = report_decide(
                report_id=report.pk, uphold=uphold, decided_by_id=request.user.pk
            )
            self.log_change(request, decided, decided.get_state_display())
        what = "upheld" if uphold else "dismissed"
        self.message_user(request, f"{len(reports)} {what}.", messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        decide = path(
            "<int:report_id>/decide/",
            self.admin_site.admin_view(self.decide),
            name="arena_answerreport_decide",
        )
        return [decide, *super().get_urls()]

    @method_decorator(require_POST)
    def decide(self, request: HttpRequest, report_id: int) -> HttpResponse:
        """The buttons below a report; back to the queue."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        report = self.get_object(request, str(report_id))
        decision = request.POST.get("decision")
        if report is None or decision not in ("uphold", "dismiss"):
            self.message_user(request, "There is no such report or decision.", messages.ERROR)
        else:
            self._decide(request, [report], uphold=decision == "uphold")
        return HttpResponseRedirect(reverse("admin:arena_answerreport_changelist"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"may_decide": self.has_decide_permission(request), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)


@admin.register(ModerationFinding)
class ModerationFindingAdmin(ReadOnly, admin.ModelAdmin[ModerationFinding]):
    list_display = ("created_at", "category", "score", "action", "found_in", "moderator")
    list_filter = ("action", "category", ("answer", admin.EmptyFieldListFilter))
    list_select_related = ("answer", "turn")
    fields = ("category", "score", "action", "moderator", "created_at", "conversation")
    readonly_fields = ("conversation",)
    date_hierarchy = "created_at"

    class Media:
        css = STYLE

    @admin.display(description="In")
    def found_in(self, finding: ModerationFinding) -> str:
        what = f"answer {finding.answer.side}" if finding.answer else "prompt"
        return f"{what}, {finding.turn}"

    @admin.display
    def conversation(self, finding: ModerationFinding) -> SafeString:
        return conversation_shown(battle_id=finding.turn.battle_id, upto=finding.turn.index)


@admin.register(ModerationPolicy)
class ModerationPolicyAdmin(admin.ModelAdmin[ModerationPolicy]):
    """What follows from a category; one without a row is logged from 0.5 on."""

    list_display = ("category", "action", "threshold")
    list_editable = ("action", "threshold")
