#!/usr/bin/env python
"""Django's entry point. Without DATABASE_URL a command uses the embedded server of DATA_DIR."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from contextlib import ExitStack

from django.core.management import execute_from_command_line

from config.data_dir import DataDirError, data_dir_from
from config.postgres import attached_database
from config.postgres_cluster import PostgresError
from config.progress import say_on_stderr

# These read the code and never a table.
WITHOUT_DATABASE = frozenset(
    {"check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help"}
    | {"makemessages", "makemigrations", "spectacular", "startapp", "version"}
)
AS_OWNER = frozenset({"migrate"})


def main(argv: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = argv[1] if len(argv) > 1 else "help"
    with ExitStack() as stack:
        if os.environ.get("DATABASE_URL"):
            if command in AS_OWNER and os.environ.get("DATABASE_OWNER_URL"):
                os.environ["DATABASE_URL"] = os.environ["DATABASE_OWNER_URL"]
        elif command in WITHOUT_DATABASE or {"-h", "--help"} & set(argv) or command[0] == "-":
            # makemigrations would warn that it could not ask the database what was applied there.
            warnings.filterwarnings("ignore", "Got an error checking a consistent migration")
        else:
            # As an exit, so that a server started for this command alone is stopped in order.
            signal.signal(signal.SIGTERM, lambda signum, _: sys.exit(128 + signum))
            server = stack.enter_context(
                attached_database(data_dir_from(os.environ), say=say_on_stderr)
            )
            owner = command in AS_OWNER
            os.environ["DATABASE_URL"] = server.owner_url if owner else server.service_url
        execute_from_command_line(argv)


if __name__ == "__main__":
    try:
        main(sys.argv)
    except (DataDirError, PostgresError) as error:
        sys.exit(f"manage.py: {error}")
