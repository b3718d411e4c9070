"""Votes are folded with their pacing, and those that never counted with them: the next fit reads
the whole ledger again. Rows and cubes are derived from it, so that nothing is lost."""

from django.db import migrations

DERIVED = ("ratedvote", "outcomecube", "dailycube", "pacingcount", "votecategory", "foldcursor")


class Migration(migrations.Migration):

    dependencies = [
        ('ratings', '0003_voters_and_pacing'),
    ]

    operations = [
        migrations.RunSQL(
            [f"DELETE FROM ratings_{table}" for table in DERIVED],
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
