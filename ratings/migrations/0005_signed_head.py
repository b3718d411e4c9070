"""Each snapshot carries the signed head of the ledger that it was made from."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ratings', '0004_fold_again'),
    ]

    operations = [
        migrations.AddField(
            model_name='ratingsnapshot',
            name='signed_head',
            field=models.JSONField(blank=True, default=dict, help_text="That entry's head as arena.ledger_heads signed it."),
        ),
    ]
