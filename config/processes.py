"""Processes that must not outlive the one that started them; knows nothing of what they run."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# The clock may be set between two looks at the same process.
_SAME_BIRTH_SECONDS = 2.0
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def signal_at_parent_death(signum: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that has the kernel send `signum` to the child when its parent is killed.

    "Parent" is the *thread* that forks (prctl(2)), so call Popen from one that lives as long as
    the child should: the main thread. None where the kernel has no such thing (macOS); there the
    next start ends what it finds.
    """
    if _libc is None:
        return None
    prctl, parent = _libc.prctl, os.getpid()

    def ask_for_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:  # it died before the request was made
            os.kill(os.getpid(), signum)

    return ask_for_signal


def processes_named(name: str, *, marked: str) -> list[psutil.Process]:
    """The running processes of that program whose command line or title contains `marked`."""
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        # A zombie has no command line left.
        if process.info["name"] == name and marked in " ".join(process.info["cmdline"] or ())
    ]


def processes_wait(processes: list[psutil.Process], *, seconds: float) -> list[psutil.Process]:
    """Those that still live after `seconds`, or none as soon as none does.

    A zombie does not live: it waits for a parent, which may be a container's idle first process.
    """
    deadline = time.monotonic() + seconds
    while (living := [each for each in processes if _lives(each)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return living


def processes_kill(processes: list[psutil.Process]) -> None:
    """SIGKILL, and wait until they are gone."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    processes_wait(processes, seconds=10)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class SessionRecord:
    """The sessions that a supervisor started, on disk, so that its successor can end them.

    A child is its session's leader. The number of a session is not given out again while one
    process of it lives; a leader of another age shows that the number has a new bearer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, leader: int) -> None:
        """Note the session of a child that was just started."""
        try:
            born = psutil.Process(leader).create_time()
        except psutil.NoSuchProcess:  # ended already
            return
        with self._path.open("a") as file:
            file.write(f"{leader} {born:.2f}\n")

    def survivors(self) -> list[psutil.Process]:
        """Processes that still run in a recorded session."""
        recorded = dict(self._sessions())
        for leader, born in list(recorded.items()):
            try:
                if abs(psutil.Process(leader).create_time() - born) > _SAME_BIRTH_SECONDS:
                    del recorded[leader]
            except psutil.NoSuchProcess:
                continue
        return [
            process
            for process in psutil.process_iter()
            if _session(process.pid) in recorded and _lives(process)
        ]

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def _sessions(self) -> Iterator[tuple[int, float]]:
        if not self._path.exists():
            return
        for line in self._path.read_text().splitlines():
            leader, _, born = line.partition(" ")
            if leader.isdigit() and born:  # a kill may have cut the last line
                yield int(leader), float(born)


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None
