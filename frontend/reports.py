"""Words for reporting an answer. Knows no rules: what a report brings about it cannot say."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

REPORT_REASONS = (
    ("harmful", _("It is harmful or hateful")),
    ("illegal", _("It helps with something illegal")),
    ("personal_data", _("It tells private things about a person")),
    ("other", _("Something else")),
)
