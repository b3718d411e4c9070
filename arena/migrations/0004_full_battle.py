"""The full battle: modes, pacing, gold battles, reasons, reports, moderation, proofs of work."""
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('arena', '0003_turn_annotation'),
        ('inference', '0002_endpoint_limits'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AnswerReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('harmful', 'Harmful'), ('illegal', 'Illegal'), ('personal_data', 'Personal Data'), ('other', 'Other')], max_length=20)),
                ('note', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('open', 'Open'), ('upheld', 'Upheld'), ('dismissed', 'Dismissed')], default='open', max_length=10)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='ModerationFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('category', models.CharField(max_length=60)),
                ('score', models.FloatField()),
                ('action', models.CharField(choices=[('off', 'Off'), ('log', 'Log'), ('warn', 'Warn'), ('block', 'Block')], max_length=5)),
                ('moderator', models.CharField(help_text='Name and version.', max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='ModerationPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('category', models.CharField(max_length=60, unique=True)),
                ('action', models.CharField(choices=[('off', 'Off'), ('log', 'Log'), ('warn', 'Warn'), ('block', 'Block')], default='log', max_length=5)),
                ('threshold', models.FloatField(default=0.5, validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)])),
            ],
            options={
                'verbose_name_plural': 'moderation policies',
                'ordering': ['category'],
            },
        ),
        migrations.CreateModel(
            name='SpentChallenge',
            fields=[
                ('digest', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'ordering': ['expires_at'],
            },
        ),
        migrations.CreateModel(
            name='VoteReason',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60, unique=True)),
                ('label', models.CharField(max_length=60)),
                ('tone', models.CharField(choices=[('good', 'Good'), ('bad', 'Bad')], max_length=4)),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='Lower comes first.')),
                ('is_active', models.BooleanField(default=True, help_text='Off: kept for old votes only.')),
            ],
            options={
                'ordering': ['position', 'slug'],
            },
        ),
        migrations.AddField(
            model_name='answer',
            name='leak',
            field=models.CharField(blank=True, help_text='Words by which the assistant named itself.', max_length=200),
        ),
        migrations.AddField(
            model_name='battle',
            name='excluded_pairs',
            field=models.JSONField(blank=True, default=list, help_text='Pairs that this voter was not to meet, as [id, id]; `probability` knows of it.'),
        ),
        migrations.AddField(
            model_name='battle',
            name='gold_side',
            field=models.CharField(blank=True, help_text='The side that was spoilt on purpose, in a gold battle.', max_length=1),
        ),
        migrations.AddField(
            model_name='battle',
            name='network',
            field=models.CharField(blank=True, help_text="Keyed hash of the address's prefix; holds no address.", max_length=64),
        ),
        migrations.AddField(
            model_name='battle',
            name='pacing',
            field=models.CharField(default='none', help_text='How fast answers were shown: "none" as they came, or name and speed.', max_length=40),
        ),
        migrations.AddField(
            model_name='vote',
            name='comment',
            field=models.TextField(blank=True, help_text='What the voter said of it afterwards.'),
        ),
        migrations.AlterField(
            model_name='answer',
            name='error',
            field=models.CharField(blank=True, choices=[('model_unavailable', 'Unavailable'), ('model_busy', 'Busy'), ('model_refused', 'Refused'), ('model_timeout', 'Timeout'), ('empty_answer', 'Empty'), ('endless_answer', 'Endless'), ('conversation_too_long', 'Too Long'), ('interrupted', 'Interrupted'), ('answer_moderated', 'Moderated')], max_length=30),
        ),
        migrations.AddIndex(
            model_name='battle',
            index=models.Index(fields=['network', '-created_at'], name='battle_of_network'),
        ),
        migrations.AddIndex(
            model_name='turn',
            index=models.Index(django.db.models.functions.text.MD5('prompt'), name='turn_by_prompt'),
        ),
        migrations.AddIndex(
            model_name='vote',
            index=models.Index(fields=['voter', 'cast_at'], name='votes_of_voter_by_time'),
        ),
        migrations.AddConstraint(
            model_name='battle',
            constraint=models.CheckConstraint(condition=models.Q(('gold_side', ''), models.Q(('gold_side__in', ['a', 'b']), ('mode', 'battle')), _connector='OR'), name='gold_battle_is_anonymous'),
        ),
        migrations.AddField(
            model_name='answerreport',
            name='answer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='arena.answer'),
        ),
        migrations.AddField(
            model_name='answerreport',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='answerreport',
            name='voter',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='arena.voter'),
        ),
        migrations.AddField(
            model_name='moderationfinding',
            name='answer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='arena.answer'),
        ),
        migrations.AddField(
            model_name='moderationfinding',
            name='turn',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='arena.turn'),
        ),
        migrations.AddConstraint(
            model_name='moderationpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('action__in', ['off', 'log', 'warn', 'block'])), name='moderation_action_known'),
        ),
        migrations.AddConstraint(
            model_name='moderationpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('threshold__gte', 0), ('threshold__lte', 1)), name='moderation_threshold_share'),
        ),
        migrations.AddConstraint(
            model_name='votereason',
            constraint=models.CheckConstraint(condition=models.Q(('tone__in', ['good', 'bad'])), name='vote_reason_tone_known'),
        ),
        migrations.AddConstraint(
            model_name='answerreport',
            constraint=models.UniqueConstraint(fields=('answer', 'voter'), name='answer_reported_once'),
        ),
        migrations.AddConstraint(
            model_name='answerreport',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['harmful', 'illegal', 'personal_data', 'other'])), name='report_reason_known'),
        ),
        migrations.AddConstraint(
            model_name='answerreport',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state', 'open')), models.Q(('decided_at__isnull', False), ('state__in', ['upheld', 'dismissed'])), _connector='OR'), name='report_decided_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='moderationfinding',
            constraint=models.CheckConstraint(condition=models.Q(('action__in', ['log', 'warn', 'block'])), name='finding_action_known'),
        ),
        migrations.AlterField(
            model_name='vote',
            name='cast_at',
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name='battle',
            name='pool',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, help_text='Models the pair was drawn from.', size=None),
        ),
        migrations.AlterField(
            model_name='battle',
            name='probability',
            field=models.FloatField(blank=True, help_text='Of drawing this pair from this pool, sides not told apart.', null=True),
        ),
        migrations.AddIndex(
            model_name='answer',
            index=models.Index(fields=['created_at'], name='answer_by_time'),
        ),
    ]
