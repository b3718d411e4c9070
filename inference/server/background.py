"""Slow work in a thread of its own, awaited by the event loop.

It knows nothing of the work.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def in_background(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of `function(*args)`, or what it raises.

    Unlike those of `asyncio.to_thread`, the thread is a daemon: a download under way does not keep
    the process from ending. Nothing of the work is held any more when this returns.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[R] = loop.create_future()
    calls = [partial(function, *args, **kwargs)]

    def deliver(results: list[R], error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(results.pop())

    def work() -> None:
        results, error = [], None
        try:
            results.append(calls.pop()())
        except Exception as caught:  # noqa: BLE001 - it belongs to whoever awaits
            error = caught
        # A loop that was closed meanwhile has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(deliver, results, error)

    threading.Thread(target=work, name=f"background-{function.__name__}", daemon=True).start()
    del args, kwargs
    return await done
