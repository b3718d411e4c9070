"""One supervised program: started in a session of its own, echoed, started again, stopped.

Knows nothing of which programs there are or in which order they come.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from config.data_dir import PROJECT
from config.processes import signal_at_parent_death
from config.progress import Say, line_write

_TAIL_LINES = 12
# Both ends of a line: a progress bar redraws itself after a carriage return.
_LINE_END = re.compile(rb"[\r\n]+")


@dataclass(frozen=True)
class Program:
    """A row of the table of children: what to run, under which name, with what environment."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = 6.0


class ProgramError(RuntimeError):
    """A program that keeps failing, or a step that failed once; the message has its last lines."""


class Restarts:
    """How long to wait before the next start; gives up on what does not stay up.

    Counts the ends in a row that came within `early` seconds of the start. The pauses double from
    `pause` on; the end number `limit` is the last.
    """

    def __init__(self, *, early: float = 30.0, pause: float = 1.0, limit: int = 4) -> None:
        self._early = early
        self._pause = pause
        self._limit = limit
        self._ends = 0

    def pause_after(self, lived: float) -> float | None:
        """Seconds to wait after a life of `lived` seconds; None means: no more."""
        self._ends = self._ends + 1 if lived < self._early else 1
        if self._ends >= self._limit:
            return None
        return float(self._pause * 2 ** (self._ends - 1))


class Child:
    """The life of one program under the supervisor, in the event loop of the main thread."""

    def __init__(
        self,
        program: Program,
        *,
        label: str,
        say: Say,
        note_session: Callable[[int], None],
        restarts: Restarts,
    ) -> None:
        self.program = program
        self._label = label
        self._say = say
        self._note_session = note_session
        self._restarts = restarts
        self._process: asyncio.subprocess.Process | None = None
        self._echo: asyncio.Task[None] | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    async def run_once(self) -> None:
        """Run to the end. Raises ProgramError unless that is exit 0."""
        code = await self._run()
        if code != 0:
            raise ProgramError(f"{self.program.name} failed ({describe_exit(code)})")

    async def keep(self) -> None:
        """Run, and start again whenever it ends. Raises ProgramError when that is of no use."""
        while True:
            began = time.monotonic()
            end = describe_exit(await self._run())
            lived = time.monotonic() - began
            pause = self._restarts.pause_after(lived)
            if pause is None:
                last = "".join(f"\n    {line}" for line in self._tail)
                raise ProgramError(
                    f"{self.program.name} does not stay up ({end}). Its last lines:{last}"
                )
            self._say(
                f"{self.program.name} ended after {lived:.0f} s ({end}); again in {pause:g} s"
            )
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """SIGTERM, `stop_seconds` of patience, then SIGKILL for its whole session."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), self.program.stop_seconds)
            except TimeoutError:
                self._say(f"{self.program.name} does not stop; killing it")
        await self._clear(process)

    async def _run(self) -> int:
        self._tail.clear()
        self._process = process = await asyncio.create_subprocess_exec(
            *self.program.command,
            cwd=PROJECT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.program.environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C at the terminal is for the supervisor alone
            preexec_fn=signal_at_parent_death(signal.SIGKILL),
        )
        self._note_session(process.pid)
        self._echo = asyncio.create_task(self._echo_output(process))
        code = await process.wait()
        await self._clear(process)
        return code

    async def _clear(self, process: asyncio.subprocess.Process) -> None:
        """End what the program left in its session, and echo the rest of its output."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if self._echo is not None:
            await asyncio.wait({self._echo})
        self._process = self._echo = None

    async def _echo_output(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - asked for above
        rest = b""
        while chunk := await process.stdout.read(65536):
            *lines, rest = _LINE_END.split(rest + chunk)
            for line in lines:
                self._echo_line(line)
        self._echo_line(rest)

    def _echo_line(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip()
        if line:
            self._tail.append(line)
            line_write(f"{self._label} | {line}", sys.stdout)


def describe_exit(code: int) -> str:
    """An exit status as a person says it; negative numbers are signals, as Popen has them."""
    return f"exit {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
