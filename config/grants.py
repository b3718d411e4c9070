"""What the service role (web, worker, commands) may do in the database; the owner grants it.

Runs after each `migrate`. The ledger itself is open to the service role for INSERT and SELECT only;
its trigger (arena/migrations) refuses changes to everybody else besides.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections
from psycopg import sql

from arena.models import LedgerEntry


def grant_service_role(*, using: str, **_: Any) -> None:
    """Give the service role its rights; do nothing where the role is absent or is the owner.

    An outside database whose operator made no such role is served by its owner alone; the ledger
    then rests on its trigger only.
    """
    role = settings.DATABASE_SERVICE_ROLE
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role]
        )
        if cursor.fetchone() is None:
            return
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}",
            "REVOKE UPDATE, DELETE, TRUNCATE ON {ledger} FROM {role}",
        ):
            cursor.execute(
                sql.SQL(statement).format(
                    role=sql.Identifier(role), ledger=sql.Identifier(LedgerEntry._meta.db_table)
                )
            )
