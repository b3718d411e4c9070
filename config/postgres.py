"""The embedded PostgreSQL server: started, awaited, stopped, and lent to lone commands.

Knows nothing of Django, of tables, or of the other processes. One process at a time, the *host*,
holds the lock DATA_DIR/postgres.lock for as long as its server runs; everybody else attaches.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from config.data_dir import FileLock, data_dir_ensure
from config.postgres_cluster import (
    OWNER,
    Cluster,
    PostgresError,
    account_for,
    cluster_ensure,
    complaints,
    programs_for,
    run_as,
)
from config.processes import (
    processes_kill,
    processes_named,
    processes_wait,
    signal_at_parent_death,
)
from config.progress import Patience, Say, say_nothing

DATABASE = "preferendum"
SERVICE_ROLE = "preferendum_service"

_LOOK_SECONDS = 0.05
_LOG_BYTES_KEPT = 10 * 1024 * 1024

# Beyond the defaults of PostgreSQL 18: no TCP, fit for a small machine, and a log without prompts
# (an ERROR carries its statement, a DETAIL the failing row; the client gets both anyway).
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
}
_SETTINGS_OF_TEST_RUNS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """The server of one DATA_DIR.

    `start()` and `stop()` are for a caller with a thread to spend. A caller with an event loop
    takes the same steps one by one: `try_claim`, `prepare`, `launch`, `obstacle`, `roles_ensure`.
    `launch` (and so `start`) belongs in the main thread, see `signal_at_parent_death`. With
    `durable=False` a power cut may lose the data: for the databases of test runs only.
    """

    def __init__(self, data_dir: Path, *, say: Say = say_nothing, durable: bool = True) -> None:
        self.cluster = Cluster(data_dir.expanduser().resolve())
        self._say = say
        self._settings = _SETTINGS | ({} if durable else _SETTINGS_OF_TEST_RUNS)
        self._lock = FileLock(self.cluster.data_dir / "postgres.lock")
        self._server: subprocess.Popen[bytes] | None = None
        self._log_read_from = 0

    @property
    def owner_url(self) -> str:
        """For migrations: the superuser of this server."""
        return self._url(OWNER, DATABASE)

    @property
    def service_url(self) -> str:
        """For web, worker and commands: a role with the rights that migrations grant it."""
        return self._url(SERVICE_ROLE, DATABASE)

    def start(self) -> None:
        """Return when both URLs answer. Raises PostgresError, with nothing left running."""
        patience = Patience("another process that uses the database", self._say, first=0.5)
        while not self.try_claim():
            patience.tick()
            time.sleep(_LOOK_SECONDS)
        self.serve()

    def serve(self) -> None:
        """`start()` for a caller that has the claim already."""
        try:
            self.prepare()
            self.launch()
            patience = Patience("PostgreSQL", self._say)
            while (obstacle := self.obstacle()) is not None:
                patience.tick(obstacle)
                time.sleep(_LOOK_SECONDS)
            self.roles_ensure()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """A fast shutdown (what `pg_ctl stop -m fast` asks for), and the claim given back."""
        if self._server is not None:
            self._end(self._server)
            self._server = None
        self._lock.release()

    def is_running(self) -> bool:
        """Whether the server answers as it does to the service role, whoever started it."""
        return connection_obstacle(self.service_url) is None

    def try_claim(self) -> bool:
        """Become the host, unless another process is."""
        data_dir_ensure(self.cluster.data_dir)
        return self._lock.held or self._lock.try_acquire()

    def prepare(self) -> None:
        """End what an earlier host left behind, and make the data folder if it is missing."""
        self._orphans_end()
        cluster_ensure(self.cluster, account_for(self.cluster), say=self._say)
        # PostgreSQL takes any living process with the recorded number for a rival (numbers start
        # over with each container). None of this server's lives, and the claim is ours.
        (self.cluster.folder / "postmaster.pid").unlink(missing_ok=True)

    def launch(self) -> None:
        """Start the server process and return at once."""
        cluster, account = self.cluster, account_for(self.cluster)
        if cluster.log.exists() and cluster.log.stat().st_size > _LOG_BYTES_KEPT:
            cluster.log.replace(cluster.log.with_suffix(".log.1"))
        settings = {
            **self._settings,
            "cluster_name": cluster.mark,
            "unix_socket_directories": str(cluster.socket_folder),
        }
        command = [str(programs_for(cluster, account) / "postgres"), "-D", str(cluster.folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = os.open(cluster.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._log_read_from = os.fstat(log).st_size
            self._server = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"LC_ALL": "C", "PATH": os.defpath},
                start_new_session=True,  # Ctrl-C at the terminal is for its host alone
                preexec_fn=signal_at_parent_death(signal.SIGINT),
                **run_as(account),
            )
        finally:
            os.close(log)

    def obstacle(self) -> str | None:
        """What still keeps the launched server from answering: None when it is ready.

        Recovery after a crash may take minutes; that is an obstacle and no error. Raises
        PostgresError when the process has ended.
        """
        if self.exited():
            raise PostgresError(f"PostgreSQL did not start: {self._last_complaint()}")
        return connection_obstacle(self._url(OWNER, "postgres"))

    def exited(self) -> bool:
        """Whether the server that was launched here has ended by itself."""
        return self._server is not None and self._server.poll() is not None

    def roles_ensure(self) -> None:
        """Make the service role and, last, the database, where they are missing."""
        with psycopg.connect(self._url(OWNER, "postgres"), autocommit=True) as connection:
            roles = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SERVICE_ROLE])
            if roles.fetchone() is None:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(SERVICE_ROLE))
                )
            databases = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            )
            if databases.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _url(self, role: str, database: str) -> str:
        # The port is part of the socket's name; spelt out, since PGPORT would change the default.
        host = quote(str(self.cluster.socket_folder), safe="")
        return f"postgresql://{role}@{host}:{self._settings['port']}/{database}"

    def _end(self, server: subprocess.Popen[bytes]) -> None:
        # Fast; then immediate (the next start recovers from the log); then by force.
        for signum, seconds in ((signal.SIGINT, 15), (signal.SIGQUIT, 5)):
            if server.poll() is None:
                server.send_signal(signum)
                try:
                    server.wait(seconds)
                except subprocess.TimeoutExpired:
                    self._say("PostgreSQL is slow to stop")
        if server.poll() is None:
            processes_kill(self._processes())
            server.wait()

    def _orphans_end(self) -> None:
        orphans = self._processes()
        if not orphans:
            return
        self._say("stopping the PostgreSQL server of an earlier run")
        numbers = {process.pid for process in orphans}
        for process in orphans:
            # Only the first process; the others are its children and follow it, or have lost it
            # and end by themselves as soon as they notice.
            with suppress(psutil.NoSuchProcess):
                if process.ppid() not in numbers:
                    process.send_signal(signal.SIGINT)
        processes_kill(processes_wait(orphans, seconds=30))

    def _processes(self) -> list[psutil.Process]:
        return processes_named("postgres", marked=self.cluster.mark)

    def _last_complaint(self) -> str:
        with self.cluster.log.open(errors="replace") as log:
            log.seek(self._log_read_from)
            output = log.read()
        found = complaints(output) or [" ".join(output.split()) or "it said nothing"]
        return f"{found[-1]} (its log is {self.cluster.log})"


@contextmanager
def attached_database(data_dir: Path, *, say: Say = say_nothing) -> Iterator[EmbeddedPostgres]:
    """The running server of `data_dir`, or one that runs as long as the block does.

    Where this process becomes the host, it waits at the end for the commands that have attached
    meanwhile. A supervisor that starts during the block waits for its end.
    """
    server = EmbeddedPostgres(data_dir, say=say)
    users = FileLock(server.cluster.data_dir / "postgres.users.lock")
    patience = Patience("the database", say)
    while not server.try_claim():
        # A host that wants to stop holds `users` exclusively from then on, so what is attached
        # here stays until the block ends.
        if (users.held or users.try_acquire(shared=True)) and server.is_running():
            try:
                yield server
            finally:
                users.release()
            return
        patience.tick()
        time.sleep(_LOOK_SECONDS)
    users.release()
    server.serve()
    try:
        yield server
    finally:
        try:
            patience = Patience("other commands that use the database", say, first=0.5)
            while not users.try_acquire():
                patience.tick()
                time.sleep(_LOOK_SECONDS)
        finally:
            server.stop()
            users.release()


def connection_obstacle(url: str) -> str | None:
    """Why the server at `url` lets nobody in, or None when it does."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        return str(error).splitlines()[-1].strip() or type(error).__name__
    return None
