"""The funnel of votes as a line of labelled counts. Knows no rules: the counts are given."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

RAW = "raw"
COUNTED = "counted"


def funnel_steps(funnel: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """(key, label, votes) from all votes to the counted ones, by way of what was left out.

    Reasons that left out nothing are not shown; the counts add up either way.
    """
    labels = {
        RAW: _("votes cast"),
        "named": _("named assistants"),
        "revealed": _("after the names were shown"),
        "late": _("long after the battle"),
        "gold": _("scrambled on purpose"),
        "leak": _("an assistant named itself"),
        "error": _("broken answer"),
        "moderated": _("against the rules of the site"),
        "unfinished": _("stopped before its end"),
        "too_fast": _("too fast to have read"),
        "duplicate": _("same voter, pair and prompt"),
        "rate_cap": _("too many at once"),
        "gold_failed": _("voter chose scrambled answers"),
        "outlier": _("unlike other voters"),
        "withdrawn": _("withdrawn"),
        "tie": _("undecided"),
        COUNTED: _("counted"),
    }
    reasons = [key for key in funnel if key not in {RAW, COUNTED} and funnel[key]]
    return [(key, labels.get(key, key), funnel[key]) for key in (RAW, *reasons, COUNTED)]
