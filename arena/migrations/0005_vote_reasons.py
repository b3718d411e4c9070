"""The reasons that a new arena offers; operators change them in the admin."""

from __future__ import annotations

from django.db import migrations

REASONS = (
    ("accurate", "Accurate", "good"),
    ("complete", "Complete", "good"),
    ("clear", "Clear", "good"),
    ("creative", "Creative", "good"),
    ("follows-instructions", "Did what I asked", "good"),
    ("incorrect", "Incorrect", "bad"),
    ("superficial", "Superficial", "bad"),
    ("too-long", "Too long", "bad"),
    ("ignores-instructions", "Ignored what I asked", "bad"),
    ("refused", "Refused without need", "bad"),
)


def add(apps, schema_editor):
    reason = apps.get_model("arena", "VoteReason")
    for position, (slug, label, tone) in enumerate(REASONS):
        reason.objects.get_or_create(
            slug=slug, defaults={"label": label, "tone": tone, "position": position}
        )


def remove(apps, schema_editor):
    slugs = [slug for slug, _, _ in REASONS]
    apps.get_model("arena", "VoteReason").objects.filter(slug__in=slugs).delete()


class Migration(migrations.Migration):
    dependencies = [("arena", "0004_full_battle")]

    operations = [migrations.RunPython(add, remove)]
