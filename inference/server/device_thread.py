"""Where computation happens: on a CPU in one thread for all models, first come first served.

It knows neither models nor requests. A thread that computes brings a team of OpenMP threads as
large as the machine. Two such teams take the cores from each other; and when there are more threads
in all teams than cores, GNU OpenMP lets them sleep between any two operations, which costs a small
model half of its speed even while only one team works. So the steps of all models go through here;
what loads a model has a team of its own, which ends with its thread.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")


class DeviceThread:
    """Runs one computation at a time on a CPU; on other devices, which queue by themselves, at
    once in the caller's thread."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._lock = threading.Lock()
        self._closed = False
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] | None = None
        if device.type == "cpu":
            self._work = queue.SimpleQueue()
            threading.Thread(target=self._run, name="device", daemon=True).start()

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of `function(*args)`, or what it raises. Blocks: never on the event loop.

        Raises RuntimeError after `close`.
        """
        if self._work is None:
            return function(*args, **kwargs)
        done: Future[R] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the device's thread has ended")
            self._work.put((done, lambda: function(*args, **kwargs)))
        return done.result()

    def close(self) -> None:
        """End the thread after what was handed in before."""
        with self._lock:
            if self._work is not None and not self._closed:
                self._work.put(None)
            self._closed = True

    @torch.no_grad()
    def _run(self) -> None:
        assert self._work is not None  # noqa: S101 - the thread exists on a CPU only
        while (item := self._work.get()) is not None:
            done, work = item
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                done.set_exception(error)
