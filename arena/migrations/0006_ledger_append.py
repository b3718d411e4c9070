"""One entry of the ledger in one round trip: lock, number, hash and insert."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("arena", "0005_vote_reasons")]

    operations = [
        migrations.RunSQL(
            # VOLATILE, so that each statement sees what was committed before it: the last entry is
            # looked up once the lock is held. The number is arbitrary: the ledger's advisory lock.
            sql=r"""
            CREATE FUNCTION arena_ledger_append(kind text, payload text)
            RETURNS arena_ledgerentry LANGUAGE plpgsql VOLATILE AS $$
            DECLARE
                last arena_ledgerentry;
                entry arena_ledgerentry;
            BEGIN
                PERFORM pg_advisory_xact_lock(5787764639354143815);
                SELECT * INTO last FROM arena_ledgerentry ORDER BY sequence DESC LIMIT 1;
                entry.sequence := COALESCE(last.sequence, 0) + 1;
                entry.kind := kind;
                entry.payload := payload;
                entry.previous_hash := COALESCE(last.hash, repeat('0', 64));
                entry.hash := encode(sha256(convert_to(
                    entry.previous_hash || E'\n' || entry.sequence || E'\n' || kind || E'\n'
                    || payload, 'UTF8')), 'hex');
                INSERT INTO arena_ledgerentry (sequence, kind, payload, previous_hash, hash)
                VALUES (entry.sequence, entry.kind, entry.payload, entry.previous_hash, entry.hash);
                RETURN entry;
            END
            $$;
            """,
            reverse_sql="DROP FUNCTION arena_ledger_append(text, text);",
        ),
    ]
