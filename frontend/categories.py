"""Names of the leaderboards' categories. Knows no rules: which there are is given."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import get_language_info
from django.utils.translation import gettext as _


def category_options(slugs: Iterable[str]) -> list[tuple[str, str]]:
    """(slug, label) of each, in the order given; an operator's own tag is its own label."""
    labels = {
        "overall": _("All votes"),
        "coding": _("Coding"),
        "mathematics": _("Mathematics"),
        "creative-writing": _("Creative writing"),
        "hard-prompts": _("Hard prompts"),
        "long-prompts": _("Long prompts"),
        "multi-turn": _("Several turns"),
        "instruction-following": _("Following instructions"),
        "exclude-ties": _("Without ties"),
        "exclude-short": _("Without very short prompts"),
        "include-leaks": _("With answers that named their model"),
        "exclude-flagged": _("Without voters flagged as unusual"),
    }
    return [(slug, labels.get(slug) or _language(slug) or slug) for slug in slugs]


def _language(code: str) -> str:
    """A language's name; "" for a code that is none, or none that Django has a name for."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return ""
