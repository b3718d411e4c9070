"""What a voted turn is about and how its answers are written, kept beside it."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("arena", "0002_ledger_append_only")]

    operations = [
        migrations.CreateModel(
            name="TurnAnnotation",
            fields=[
                (
                    "turn",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="annotation",
                        serialize=False,
                        to="arena.turn",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        help_text="ISO 639 code of the prompts, or und.", max_length=8
                    ),
                ),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "style",
                    models.JSONField(
                        help_text="Side to StyleCounts, summed over its answers up to this turn."
                    ),
                ),
                (
                    "tagger",
                    models.CharField(
                        help_text="Version of what gave language and categories.", max_length=100
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True,
                        help_text="What the tagger failed with; empty when it did not.",
                        max_length=100,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"ordering": ["turn"]},
        ),
    ]
