
import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='UsedKey',
            fields=[
                ('key', models.CharField(max_length=300, primary_key=True, serialize=False)),
                ('act', models.CharField(choices=[('transfer', 'Transfer'), ('reversal', 'Reversal'), ('hold', 'Hold'), ('capture', 'Capture'), ('release', 'Release'), ('expiry', 'Expiry'), ('void', 'Void')], max_length=10)),
                ('digest', models.CharField(max_length=64)),
                ('subject_id', models.UUIDField(null=True)),
                ('used_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('owner', models.CharField(max_length=200)),
                ('kind', models.CharField(max_length=64)),
                ('currency', models.CharField(max_length=12)),
                ('may_go_negative', models.BooleanField()),
                ('balance_minor', models.BigIntegerField()),
                ('held_minor', models.BigIntegerField()),
                ('opened_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('owner', 'kind', 'currency'), name='ledger_account_once'), models.CheckConstraint(condition=models.Q(('balance_minor__gte', 0), ('may_go_negative', True), _connector='OR'), name='ledger_account_not_negative'), models.CheckConstraint(condition=models.Q(('held_minor__gte', 0)), name='ledger_account_held_not_negative'), models.CheckConstraint(condition=models.Q(('held_minor__lte', models.F('balance_minor')), ('may_go_negative', True), _connector='OR'), name='ledger_account_held_covered')],
            },
        ),
        migrations.CreateModel(
            name='BusinessDate',
            fields=[
                ('id', models.SmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('open_date', models.DateField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='ledger_business_date_single')],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=300, unique=True)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('posted', 'Posted')], max_length=10)),
                ('description', models.CharField(blank=True, max_length=500)),
                ('run_id', models.UUIDField(blank=True, db_index=True, null=True)),
                ('value_date', models.DateField(db_index=True)),
                ('posted_at', models.DateTimeField(db_index=True)),
                ('digest', models.CharField(max_length=64)),
                ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='ledger.transfer')),
            ],
        ),
        migrations.CreateModel(
            name='Posting',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveSmallIntegerField()),
                ('currency', models.CharField(max_length=12)),
                ('amount_minor', models.BigIntegerField()),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='ledger.account')),
                ('transfer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='ledger.transfer')),
            ],
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=300, unique=True)),
                ('currency', models.CharField(max_length=12)),
                ('amount_minor', models.BigIntegerField()),
                ('captured_minor', models.BigIntegerField()),
                ('status', models.CharField(choices=[('held', 'held'), ('captured', 'captured'), ('released', 'released'), ('expired', 'expired')], max_length=10)),
                ('run_id', models.UUIDField(blank=True, db_index=True, null=True)),
                ('placed_at', models.DateTimeField()),
                ('resolved_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='ledger.account')),
                ('capture', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='captured_hold', to='ledger.transfer')),
            ],
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'posted'])), name='ledger_transfer_status'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.UniqueConstraint(fields=('transfer', 'position'), name='ledger_posting_position'),
        ),
        migrations.AddConstraint(
            model_name='posting',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='ledger_posting_not_zero'),
        ),
        migrations.AddIndex(
            model_name='hold',
            index=models.Index(condition=models.Q(('status', 'held')), fields=['account'], name='ledger_hold_open'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='ledger_hold_positive'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['held', 'captured', 'released', 'expired'])), name='ledger_hold_status'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('captured_minor__gt', 0), ('captured_minor__lte', models.F('amount_minor')), ('status', 'captured')), models.Q(models.Q(('status', 'captured'), _negated=True), ('captured_minor', 0)), _connector='OR'), name='ledger_hold_captured_within'),
        ),
        migrations.AddConstraint(
            model_name='hold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('resolved_at', None), ('status', 'held')), models.Q(models.Q(('status', 'held'), _negated=True), ('resolved_at__isnull', False)), _connector='OR'), name='ledger_hold_resolved_at'),
        ),
    ]
