"""A contender in a process of its own: started, sent bursts, and ended.

Knows neither which contenders there are nor what is made of their times. Everything is a coroutine
of one event loop, which belongs to the client while a burst is under way.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks import stream_client
from benchmarks.burst import Answer, Prompt
from benchmarks.race import DidNotFinishError
from benchmarks.results import ROOT

START_SECONDS, BURST_SECONDS, STOP_SECONDS = 240, 300, 15
_LINE_LIMIT = 1 << 24


class _Process:
    """A program with its standard error in a log, of which the last line tells why it ended."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.command, self.env, self.log = command, {**os.environ, **env}, log
        self.process: asyncio.subprocess.Process | None = None

    async def launch(self, *, piped: bool) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=ROOT,
                env=self.env,
                stdin=pipe if piped else asyncio.subprocess.DEVNULL,
                stdout=pipe if piped else log,
                stderr=log,
                limit=_LINE_LIMIT,
                start_new_session=True,  # so that its own children end with it
            )
        return self.process

    def failure(self, what: str) -> DidNotFinishError:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return DidNotFinishError(f"{what}: {lines[-1][:200] if lines else 'it wrote nothing'}")

    def signal(self, number: signal.Signals) -> None:
        """To the process and those it started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    async def stop(self) -> None:
        """End it and what it started, at once if it does not go by itself."""
        process = self.process
        if process is None:
            return
        if process.returncode is None:
            self.signal(signal.SIGCONT)
            process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
        self.signal(signal.SIGKILL)
        await process.wait()


class Contender(ABC):
    """A program that can be sent bursts. It is paused while others are measured, since some poll
    when they have nothing to do."""

    _process: _Process

    @abstractmethod
    async def start(self) -> str:
        """Wait until it can answer; returns the version. Raises DidNotFinishError."""

    @abstractmethod
    async def burst(self, prompts: Sequence[Prompt], tokens: int) -> list[Answer]:
        """Answer all prompts at once, with at most `tokens` each. Raises DidNotFinishError."""

    def pause(self) -> None:
        """Let it have no processor until `resume`."""
        self._process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End the process and those it started."""
        await self._process.stop()


class EngineProcess(Contender):
    """A module of `benchmarks.contenders.engines`, run by the interpreter `python`."""

    def __init__(
        self,
        python: Path,
        name: str,
        folder: Path,
        *,
        threads: int,
        env: Mapping[str, str],
        log: Path,
    ) -> None:
        module = "benchmarks.contenders.engines"
        command = [str(python), "-m", module, name, str(folder), str(threads)]
        self._process = _Process(command, env, log)

    async def start(self) -> str:
        await self._process.launch(piped=True)
        version: str = (await self._line(START_SECONDS))["version"]
        return version

    async def burst(self, prompts: Sequence[Prompt], tokens: int) -> list[Answer]:
        process = self._process.process
        assert process is not None
        assert process.stdin is not None
        asked = {"prompts": [{"text": p.text, "tokens": p.tokens} for p in prompts]}
        process.stdin.write(json.dumps(asked | {"tokens": tokens}).encode() + b"\n")
        with suppress(ConnectionError):  # the answer, which does not come, tells why
            await process.stdin.drain()
        answers = await self._line(BURST_SECONDS)
        return [Answer(a["sent"], a["ended"], [(t, n) for t, n in a["pieces"]]) for a in answers]

    async def _line(self, seconds: float) -> Any:
        process = self._process.process
        assert process is not None
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), seconds)
        except TimeoutError:
            raise self._process.failure(f"no answer within {seconds:g} s") from None
        if not line:
            raise self._process.failure("it ended")
        return json.loads(line)


class ServerProcess(Contender):
    """A server of OpenAI's completions at `url`, which answers `ready` when it can answer."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        url: str,
        ready: str,
        version: str,
        settings: Mapping[str, Any],
        env: Mapping[str, str],
        log: Path,
    ) -> None:
        self.url = url
        self._ready, self._version, self._settings = ready, version, settings
        self._process = _Process(command, env, log)

    async def start(self) -> str:
        process = await self._process.launch(piped=False)
        deadline = time.monotonic() + START_SECONDS
        while await stream_client.status(f"{self.url}{self._ready}") != 200:
            if process.returncode is not None:
                raise self._process.failure("it ended")
            if time.monotonic() > deadline:
                raise self._process.failure(f"not ready within {START_SECONDS} s")
            await asyncio.sleep(0.2)
        return self._version

    async def burst(
        self, prompts: Sequence[Prompt], tokens: int, *, models: Sequence[str] = ()
    ) -> list[Answer]:
        """As above; `models` are the names where not all prompts go to the same."""
        settings = [{**self._settings, "max_tokens": tokens} for _ in prompts]
        for one, model in zip(settings, models, strict=False):
            one["model"] = model
        try:
            async with asyncio.timeout(BURST_SECONDS):
                return await stream_client.burst(f"{self.url}/v1/completions", prompts, settings)
        except TimeoutError:
            raise self._process.failure(f"no answer within {BURST_SECONDS} s") from None
        except (stream_client.RefusedError, OSError, EOFError, ValueError) as error:
            raise DidNotFinishError(f"{type(error).__name__}: {error}"[:200]) from error
