"""The database itself refuses to change the ledger, whoever asks."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("arena", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
            CREATE FUNCTION arena_ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'the vote ledger is append-only: % refused', TG_OP
                    USING ERRCODE = 'insufficient_privilege',
                          HINT = 'Add an exclusion or withdrawal entry instead.';
            END
            $$;
            CREATE TRIGGER arena_ledger_append_only
                BEFORE UPDATE OR DELETE ON arena_ledgerentry
                FOR EACH ROW EXECUTE FUNCTION arena_ledger_refuse_change();
            CREATE TRIGGER arena_ledger_no_truncate
                BEFORE TRUNCATE ON arena_ledgerentry
                FOR EACH STATEMENT EXECUTE FUNCTION arena_ledger_refuse_change();
            """,
            reverse_sql="""
            DROP TRIGGER arena_ledger_no_truncate ON arena_ledgerentry;
            DROP TRIGGER arena_ledger_append_only ON arena_ledgerentry;
            DROP FUNCTION arena_ledger_refuse_change();
            """,
        ),
    ]
