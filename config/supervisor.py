"""`make run`: embedded PostgreSQL, migrations, models, then inference, worker and web, as one.

    python -m config.supervisor

Reads its settings from the environment and knows nothing of what its children do.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request

from config.child import Child, Program, ProgramError, Restarts
from config.data_dir import DataDirError, FileLock, data_dir_ensure
from config.plan import Plan, PlanError, product_plan
from config.postgres import EmbeddedPostgres, connection_obstacle
from config.postgres_cluster import PostgresError
from config.processes import SessionRecord, processes_kill
from config.progress import Patience, Say, line_write
from config.secrets import signing_key

NAME = "preferendum"
_LOOK_SECONDS = 0.2
# Long enough for a server that is started together with us, short enough to show a wrong address.
_OUTSIDE_DATABASE_SECONDS = 60
# A server that says so lets us in a little later; of other refusals nothing comes by waiting.
_MAY_PASS = ("starting up", "shutting down", "in recovery", "too many")


class Supervisor:
    """Runs a plan until a signal arrives or something of it does not stay up."""

    def __init__(self, plan: Plan, *, say: Say, restart_pause: float = 1.0) -> None:
        self._plan = plan
        self._say = say
        self._restart_pause = restart_pause
        self._lock = FileLock(plan.data_dir / "supervisor.lock")
        self._sessions = SessionRecord(plan.data_dir / "supervisor.sessions")
        self._postgres = (
            EmbeddedPostgres(plan.data_dir, say=say) if plan.database_url is None else None
        )
        self._children: list[Child] = []
        programs = (*plan.beside_database, *plan.steps, *plan.services)
        self._label_width = max(len(each) for each in (NAME, *(one.name for one in programs)))
        self._stopping = False

    async def run(self) -> None:
        """Return after a stop by SIGINT, SIGTERM or SIGHUP, with no process left.

        Raises PlanError, DataDirError or PostgresError when it cannot start, and
        ProgramError when a program does not stay up; nothing is left running then either.
        """
        self._claim()
        try:
            self._survivors_end()
            self._keys_make()
            for address in self._plan.addresses:
                address.check_free()
            work = asyncio.create_task(self._work())
            self._listen_for_signals(work)
            try:
                await work
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
            except ExceptionGroup as group:
                raise group.exceptions[0] from None
            finally:
                self._stopping = True
                await self._stop()
        finally:
            self._sessions.clear()
            self._lock.release()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            for program in self._plan.beside_database:
                group.create_task(self._child(program).keep())
            await self._database_start()
            if self._postgres is not None:
                group.create_task(self._database_keep(self._postgres))
            for program in self._plan.steps:
                await self._child(program).run_once()
            for program in self._plan.services:
                group.create_task(self._child(program).keep())
            await self._ready()
            self._say(f"the first battle can be fought at {self._plan.public_url}")

    async def _stop(self) -> None:
        for child in reversed(self._children):
            await child.stop()
        if self._postgres is not None:
            self._postgres.stop()

    def _child(self, program: Program) -> Child:
        child = Child(
            program,
            label=program.name.ljust(self._label_width),
            say=self._say,
            note_session=self._sessions.add,
            restarts=Restarts(pause=self._restart_pause),
        )
        self._children.append(child)
        return child

    # --- the database -----------------------------------------------------------------------------

    async def _database_start(self) -> None:
        if self._postgres is None:
            await self._outside_database()
            return
        patience = Patience("another command that uses the database", self._say, first=0.5)
        while not self._postgres.try_claim():
            patience.tick()
            await asyncio.sleep(_LOOK_SECONDS)
        await self._database_launch(self._postgres)

    async def _database_launch(self, postgres: EmbeddedPostgres) -> None:
        postgres.prepare()
        postgres.launch()
        patience = Patience("PostgreSQL", self._say)
        while (obstacle := postgres.obstacle()) is not None:
            patience.tick(obstacle)
            await asyncio.sleep(0.05)
        postgres.roles_ensure()

    async def _database_keep(self, postgres: EmbeddedPostgres) -> None:
        restarts = Restarts(pause=self._restart_pause)
        began = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if postgres.exited():
                pause = restarts.pause_after(time.monotonic() - began)
                if pause is None:
                    raise PostgresError(f"PostgreSQL does not stay up: see {postgres.cluster.log}")
                self._say(f"PostgreSQL ended unexpectedly; again in {pause:g} s")
                await asyncio.sleep(pause)
                began = time.monotonic()
                await self._database_launch(postgres)
                self._say("PostgreSQL is back")

    async def _outside_database(self) -> None:
        url = self._plan.database_url
        assert url is not None  # noqa: S101 - else the embedded server is used
        patience = Patience("the server of DATABASE_URL", self._say)
        while (obstacle := connection_obstacle(url)) is not None:
            refused = "FATAL" in obstacle and not any(word in obstacle for word in _MAY_PASS)
            if refused or patience.seconds > _OUTSIDE_DATABASE_SECONDS:
                raise PlanError(f"the server of DATABASE_URL does not answer: {obstacle}")
            patience.tick(obstacle)
            await asyncio.sleep(_LOOK_SECONDS)

    # --- around the children ----------------------------------------------------------------------

    def _claim(self) -> None:
        data_dir_ensure(self._plan.data_dir)
        if not self._lock.try_acquire():
            raise PlanError(
                f"Preferendum already runs on {self._plan.data_dir}: stop it first, or give this "
                "copy a DATA_DIR, PORT and INFERENCE_PORT of its own"
            )

    def _keys_make(self) -> None:
        """Both keys are there from the first start on, for whoever makes the first backup."""
        signing_key(self._plan.data_dir)

    def _survivors_end(self) -> None:
        survivors = self._sessions.survivors()
        if survivors:
            self._say(f"ending {len(survivors)} processes that an earlier run left behind")
            processes_kill(survivors)
        self._sessions.clear()

    def _listen_for_signals(self, work: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()

        def stop(signum: signal.Signals) -> None:
            # Several arrive when a whole process group is told to stop; the first one counts.
            if not self._stopping:
                self._stopping = True
                self._say(f"stopping ({signum.name})")
                work.cancel()

        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup has a reason to ignore SIGHUP.
            if signum is not signal.SIGHUP or signal.getsignal(signum) is not signal.SIG_IGN:
                loop.add_signal_handler(signum, stop, signum)

    async def _ready(self) -> None:
        patience = Patience("the first answer", self._say, first=10.0)
        while (obstacle := await asyncio.to_thread(self._ready_obstacle)) is not None:
            patience.tick(obstacle)
            await asyncio.sleep(_LOOK_SECONDS)

    def _ready_obstacle(self) -> str | None:
        # Under a name that the web server knows whatever its public one is.
        request = urllib.request.Request(  # noqa: S310 - our own http address
            self._plan.ready_url, headers={"Host": "localhost"}
        )
        try:
            urllib.request.urlopen(request, timeout=2).close()  # noqa: S310
        except urllib.error.HTTPError as error:
            return _reasons(error.read())
        except OSError as error:
            return str(getattr(error, "reason", error))
        return None


def _reasons(body: bytes) -> str:
    """What /readyz says is missing, on one line; other answers as they are."""
    try:
        reasons = json.loads(body)["reasons"]
        return "; ".join(f"{part}: {reason}" for part, reason in reasons.items())
    except (ValueError, KeyError, TypeError, AttributeError):
        return body.decode(errors="replace")[:200]


def _say_as_supervisor(line: str) -> None:
    line_write(f"{NAME} | {line}", sys.stdout)


def main(plan: Plan, *, restart_pause: float = 1.0) -> int:
    """Supervise `plan` to its end; the exit status of the process."""
    supervisor = Supervisor(plan, say=_say_as_supervisor, restart_pause=restart_pause)
    try:
        asyncio.run(supervisor.run())
    except (PlanError, DataDirError, PostgresError, ProgramError) as error:
        return _complain(error)
    return 0


def _complain(error: Exception) -> int:
    line_write(f"{NAME}: {error}", sys.stderr)
    return 1


if __name__ == "__main__":
    try:
        product = product_plan(os.environ)
    except PlanError as error:
        sys.exit(_complain(error))
    sys.exit(main(product))
