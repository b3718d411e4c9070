"""Endpoints that fail to answer are paused, for longer each time."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0002_endpoint_limits'),
    ]

    operations = [
        migrations.AddField(
            model_name='endpoint',
            name='failures',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='Answers that failed in a row, each after it was up.'),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='paused_until',
            field=models.DateTimeField(editable=False, help_text='Until then no probe calls it up.', null=True),
        ),
    ]
