"""The supervisor as a process: stand-in programs, real PostgreSQL, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from config.plan import PlanError, product_plan
from config.postgres import EmbeddedPostgres, attached_database
from config.processes import processes_wait

Processes = Callable[[Path], list[psutil.Process]]

READY = "the first battle can be fought at"
LINGER_SECONDS = 20


@pytest.fixture(scope="module")
def database_url() -> str:
    """An outside server, for the tests that are about the programs alone."""
    return os.environ["DATABASE_URL"]


@pytest.fixture
def port() -> int:
    return free_port()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def supervisor(data_dir: Path, port: int, **wishes: str) -> Iterator[subprocess.Popen[str]]:
    """A supervisor in a session of its own, as a terminal's foreground job is."""
    arguments = json.dumps({"data_dir": str(data_dir), "port": str(port), **wishes})
    with subprocess.Popen(
        [sys.executable, "-m", "tests.config.stand_in", arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        # What hangs ends here, so that a test fails by its assertion.
        deadline = threading.Timer(60, process.kill)
        deadline.start()
        try:
            yield process
        finally:
            deadline.cancel()
            if process.poll() is None:
                process.kill()


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    """What the supervisor prints up to the first line with `wanted`; fails where none comes."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if wanted in line:
            return seen
    raise AssertionError(f"no line with {wanted!r} in:\n{seen}")


def left_over(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that are still alive after the time that an orderly end may take."""
    return processes_wait(processes, seconds=LINGER_SECONDS)


@pytest.mark.parametrize("whole_group", [False, True], ids=["SIGTERM", "SIGINT to the group"])
def test_a_stop_leaves_no_process(
    data_dir: Path, port: int, processes_of: Processes, whole_group: bool
) -> None:
    with supervisor(data_dir, port) as process:
        output = read_until(process, READY)
        names = " ".join(each.name() for each in processes_of(data_dir))

        if whole_group:
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.terminate()

        rest, _ = process.communicate()
    assert process.returncode == 0
    assert "KeyboardInterrupt" not in rest  # the supervisor stops its programs, not the terminal
    assert "migrate     | applied" in output
    assert "postgres" in names
    assert processes_of(data_dir) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals orphans")
def test_a_killed_supervisor_takes_everything_along_and_the_next_one_starts(
    data_dir: Path, port: int, processes_of: Processes
) -> None:
    with supervisor(data_dir, port) as process:
        read_until(process, READY)
        with psycopg.connect(EmbeddedPostgres(data_dir).owner_url) as connection:
            connection.execute("CREATE TABLE vote AS SELECT 'a' AS choice")
        children = processes_of(data_dir)

        process.kill()

        assert left_over(children) == []
    with supervisor(data_dir, port) as successor:
        read_until(successor, READY)
        with psycopg.connect(EmbeddedPostgres(data_dir).service_url) as connection:
            assert connection.execute("SELECT to_regclass('vote')").fetchone() != (None,)
        successor.terminate()
        assert successor.wait(LINGER_SECONDS) == 0


def test_what_an_earlier_run_left_in_its_sessions_is_ended_first(
    data_dir: Path, port: int, database_url: str
) -> None:
    sleeper = "import time; print(flush=True); time.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", sleeper], stdout=subprocess.PIPE, start_new_session=True
    ) as left:
        assert left.stdout is not None
        left.stdout.readline()
        data_dir.mkdir()
        born = psutil.Process(left.pid).create_time()
        (data_dir / "supervisor.sessions").write_text(f"{left.pid} {born:.2f}\n1 0.0\n")

        with supervisor(data_dir, port, database_url=database_url) as process:
            output = read_until(process, READY)
            process.terminate()

        assert left.wait(LINGER_SECONDS) == -signal.SIGKILL
    assert "ending 1 processes that an earlier run left behind" in output


def test_a_program_that_ends_is_started_again(
    data_dir: Path, port: int, processes_of: Processes, database_url: str
) -> None:
    with supervisor(data_dir, port, database_url=database_url) as process:
        read_until(process, READY)
        web = next(each for each in processes_of(data_dir) if "http.server" in each.cmdline())

        web.kill()

        read_until(process, "web ended after")
        read_until(process, "Serving HTTP")
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()


def test_postgres_is_started_again_when_it_is_killed(data_dir: Path, port: int) -> None:
    with supervisor(data_dir, port) as process:
        read_until(process, READY)
        number = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0]

        os.kill(int(number), signal.SIGKILL)

        read_until(process, "PostgreSQL is back")
        assert EmbeddedPostgres(data_dir).is_running()
        process.terminate()
        assert process.wait(LINGER_SECONDS) == 0


def test_a_program_that_keeps_failing_ends_everything_with_its_last_lines(
    data_dir: Path, port: int, processes_of: Processes, database_url: str
) -> None:
    failing = "import sys; sys.exit('no queue to work on')"

    with supervisor(data_dir, port, database_url=database_url, worker=failing) as process:
        output, _ = process.communicate()

    assert process.returncode == 1
    assert output.count("worker ended after") == 3
    message = output.partition("preferendum: ")[2]
    assert message.startswith("worker does not stay up (exit 1). Its last lines:\n")
    assert "no queue to work on" in message
    assert processes_of(data_dir) == []


def test_a_failed_migration_starts_no_web_server(
    data_dir: Path, port: int, processes_of: Processes, database_url: str
) -> None:
    step = "import sys; sys.exit('column is missing')"

    with supervisor(data_dir, port, database_url=database_url, step=step) as process:
        output, _ = process.communicate()

    assert process.returncode == 1
    assert "migrate     | column is missing" in output
    assert output.endswith("preferendum: migrate failed (exit 1)\n")
    assert "Serving HTTP" not in output
    assert processes_of(data_dir) == []


def test_a_program_that_does_not_stop_is_killed_with_its_children(
    data_dir: Path, port: int, processes_of: Processes, database_url: str
) -> None:
    stubborn = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', sys.argv[1]]);"
        "print('will not go', flush=True); time.sleep(600)"
    )
    with supervisor(data_dir, port, database_url=database_url, worker=stubborn) as process:
        read_until(process, READY)
        running = processes_of(data_dir)

        process.terminate()
        output, _ = process.communicate()

    assert process.returncode == 0
    assert "worker does not stop; killing it" in output
    assert left_over(running) == []


def test_a_second_copy_on_the_same_data_is_refused_and_one_on_its_own_is_not(
    open_folder: Path, processes_of: Processes, database_url: str
) -> None:
    shared, own = open_folder / "shared", open_folder / "own"
    ports = [free_port() for _ in range(3)]
    with supervisor(shared, ports[0], database_url=database_url) as first:
        read_until(first, READY)

        with supervisor(shared, ports[1], database_url=database_url) as second:
            output, _ = second.communicate()
        with supervisor(own, ports[2], database_url=database_url) as third:
            read_until(third, READY)

        assert second.returncode == 1
        assert f"preferendum: Preferendum already runs on {shared}" in output
        urllib.request.urlopen(f"http://127.0.0.1:{ports[0]}/", timeout=5).close()


def test_a_port_in_use_is_one_line_before_anything_starts(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with supervisor(data_dir, port) as process:
            output, _ = process.communicate()

    assert process.returncode == 1
    assert output.startswith(f"preferendum: PORT {port} on 127.0.0.1 cannot be used")
    assert output.count("\n") == 1
    assert not (data_dir / "postgres").exists()


def test_a_supervisor_waits_for_a_command_that_uses_the_database(
    data_dir: Path, port: int, processes_of: Processes
) -> None:
    with attached_database(data_dir) as server, supervisor(data_dir, port) as process:
        read_until(process, "still waiting for another command that uses the database")
        with psycopg.connect(server.owner_url) as connection:
            connection.execute("SELECT 1")
        server_of_the_command = processes_of(data_dir / "postgres")

        # Leaving the block would kill the supervisor, so the command ends in here.
        server.stop()

        read_until(process, READY)
        assert left_over(server_of_the_command) == []
        process.terminate()
        assert process.wait(LINGER_SECONDS) == 0


def test_what_is_run_for_the_product(open_folder: Path) -> None:
    plan = product_plan({"DATA_DIR": str(open_folder), "MODELS_FILE": "models/demo.toml"})

    names = [each.name for each in (*plan.beside_database, *plan.steps, *plan.services)]
    assert names == ["inference", "migrate", "models", "static", "worker", "web"]
    assert plan.ready_url == "http://127.0.0.1:8000/readyz"
    owners = [
        each.name
        for each in (*plan.beside_database, *plan.steps, *plan.services)
        if each.environ["DATABASE_OWNER_URL"]
    ]
    assert owners == ["migrate"]


def test_an_arena_of_outside_models_needs_no_inference_service(open_folder: Path) -> None:
    plan = product_plan({"DATA_DIR": str(open_folder), "MODELS_FILE": "models/endpoints.toml"})

    assert plan.beside_database == ()


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({"PORT": "web"}, "PORT is 'web': give a port number"),
        ({"INFERENCE_PORT": "70000"}, "INFERENCE_PORT is '70000'"),
        ({"MODELS_FILE": "none.toml"}, r"MODELS_FILE .*none\.toml does not exist"),
        ({"DATABASE_OWNER_URL": "postgresql:///x"}, "DATABASE_OWNER_URL is set without"),
        ({"DATABASE_URL": "sqlite:///x"}, "DATABASE_URL is no address of PostgreSQL"),
        ({"PORT": "8100"}, "PORT and INFERENCE_PORT are both 8100"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environ: dict[str, str], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        product_plan({"MODELS_FILE": "models/demo.toml"} | environ)
