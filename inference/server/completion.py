"""One chat or plain completion, from the checked call to the last byte.

It knows the fleet, the two ways to compute and the bodies; it knows no routes and no loading.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from starlette.responses import Response
from starlette.types import Send

from inference.server.admission import admit, encode_prompts, generation_requests
from inference.server.api_error import ApiError
from inference.server.chat import ChatFormat
from inference.server.engine import ContextOverflowError, EngineFullError
from inference.server.event_stream import EventStream
from inference.server.failures import api_error
from inference.server.fleet import Fleet, ModelUnavailableError, ServedModel
from inference.server.generation import Delta, EngineError, Generation, TokenLogprob
from inference.server.logprobs import echo_logprobs
from inference.server.protocol import CompletionCall
from inference.server.reply import Choice, Reply, written
from inference.server.runtime import Runtime
from inference.server.settings import ServiceSettings
from inference.server.traffic import Exchange, Traffic

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 5.0
"""An answer that ends by its own limit of time still has to be sent."""
_MANY_TOKENS = 64
"""With log-probabilities: more are written in a thread."""


class Completion(Exchange):
    """The exchange that answers a `CompletionCall`."""

    def __init__(
        self,
        call: CompletionCall,
        entry: ServedModel,
        *,
        fleet: Fleet,
        settings: ServiceSettings,
        traffic: Traffic,
    ) -> None:
        super().__init__(traffic, seconds=settings.request_seconds + _GRACE_SECONDS)
        self.call = call
        self.entry = entry
        self.fleet = fleet
        self.settings = settings
        self.arrived = time.monotonic()
        if settings.max_tokens is not None and call.max_tokens > settings.max_tokens:
            if call.max_tokens_given:
                message = f"max_tokens is {call.max_tokens}; at most {settings.max_tokens} here"
                raise ApiError(400, message, param="max_tokens")
            self.call = replace(call, max_tokens=settings.max_tokens)

    async def answer(self, send: Send) -> None:
        """Compute and write the answer. Raises ApiError before the first byte only."""
        try:
            await self._answer(send)
        except OSError:
            if not self.begun:
                raise
            logger.info("%s: the reader went away", self.entry.spec.slug)
        except (
            ContextOverflowError,
            EngineFullError,
            EngineError,
            ModelUnavailableError,
        ) as error:
            raise api_error(error) from error

    async def _answer(self, send: Send) -> None:
        if self.entry.chat is None:  # never loaded so far: its tokenizer comes with it
            await self.fleet.wake(self.entry)
        format_ = self.entry.chat
        if format_ is None:
            raise ModelUnavailableError(f"{self.call.model} is not ready", 5)
        # A long prompt takes tens of milliseconds to tokenise, in which no stream could go on.
        prompts, highest = await asyncio.to_thread(encode_prompts, self.call, format_)
        runtime = await self.fleet.wake(self.entry)
        # From here to the admission nothing is awaited, or the model could fall asleep again.
        if highest >= runtime.engine.vocabulary:
            raise ApiError(400, f"{highest} is no token id of this model", param="prompt")
        reply = Reply(
            call=self.call,
            vocabulary=format_.vocabulary,
            prompt_tokens=sum(len(prompt) for prompt in prompts),
            fingerprint=self.entry.fingerprint or None,
        )
        generations: list[Generation] = []
        scoring: asyncio.Task[list[list[TokenLogprob | None]]] | None = None
        try:
            if not self._scores_only:
                seconds = self.arrived + self.settings.request_seconds - time.monotonic()
                requests = generation_requests(
                    self.call, prompts, runtime, format_, seconds=seconds
                )
                generations = admit(runtime, requests)
            if self.call.echo and self.call.logprobs is not None:
                scoring = asyncio.create_task(self._scored(runtime, prompts))
            if self.call.stream:
                await self._stream(send, generations, reply)
            else:
                choices = await self._choices(generations, len(prompts))
                if self.call.echo:
                    scores = await scoring if scoring else None
                    await asyncio.to_thread(
                        self._put_echo, choices, prompts, scores, format_, runtime
                    )
                await _send_whole(send, reply, choices)
        finally:
            for generation in generations:
                generation.close()
            if scoring is not None and not scoring.done():
                scoring.cancel()
                await asyncio.wait({scoring})

    @property
    def _scores_only(self) -> bool:
        """Whether nothing is generated: the likeliest next token comes with the scores."""
        call = self.call
        greedy = call.max_tokens == 1 and call.temperature == 0 and call.logprobs is not None
        return call.echo and (call.max_tokens == 0 or greedy)

    async def _scored(
        self, runtime: Runtime, prompts: list[list[int]]
    ) -> list[list[TokenLogprob | None]]:
        next_token = self._scores_only and self.call.max_tokens == 1
        top = max(1, self.call.logprobs or 0)
        return await runtime.isolated.score(prompts, top=top, next_token=next_token)

    async def _choices(self, generations: list[Generation], prompts: int) -> list[Choice]:
        choices = [Choice(index) for index in range(prompts * self.call.n)]
        if not generations:
            return choices
        async with aclosing(_merged(generations)) as deltas:
            async for index, delta in deltas:
                choices[index].add(delta)
        if any(choice.finish_reason is None for choice in choices):
            raise EngineError(f"{self.call.model} ended the answer before it was whole")
        if not any(choice.completion_tokens for choice in choices):
            raise self._too_late()
        return choices

    def _too_late(self) -> ApiError:
        """For answers whose time was over before their first token: they waited for a place."""
        seconds = self.settings.request_seconds
        return ApiError(504, f"no answer within {seconds:g} s", code="time_limit")

    def _put_echo(
        self,
        choices: list[Choice],
        prompts: list[list[int]],
        scores: list[list[TokenLogprob | None]] | None,
        format_: ChatFormat,
        runtime: Runtime,
    ) -> None:
        """Put each prompt before its answer, with the log-probabilities of its tokens."""
        vocabulary = format_.vocabulary
        for choice in choices:
            place = choice.index // self.call.n
            given, tokens = self.call.prompts[place], prompts[place]
            text = given if isinstance(given, str) else vocabulary.text_of(tokens)
            if scores is not None:
                scored = scores[place][: len(tokens)]
                top = self.call.logprobs or 0
                choice.echoed = echo_logprobs(tokens, scored, vocabulary, top, text=text)
                for following in scores[place][len(tokens) :]:
                    if following is not None:
                        _add_next(choice, following, format_, runtime)
            if choice.finish_reason is None:
                choice.finish_reason = "length"
            choice.text, choice.begin = text + choice.text, len(text)

    async def _stream(self, send: Send, generations: list[Generation], reply: Reply) -> None:
        choices = [Choice(index) for index in range(len(generations))]
        async with aclosing(_merged(generations)) as deltas:
            # The first token decides between an error status and a stream.
            item = await anext(deltas, None)
            if item is not None and not item[1].completion_tokens:
                raise self._too_late()
            stream = EventStream(send)
            await stream.open()
            try:
                while item is not None:
                    choice, delta = choices[item[0]], item[1]
                    chunk = reply.chunk(choice, delta)
                    await stream.event(chunk, large=len(delta.tokens) > _MANY_TOKENS)
                    choice.count(delta)
                    item = await anext(deltas, None)
                if any(choice.finish_reason is None for choice in choices):
                    raise EngineError(f"{self.call.model} ended the answer before it was whole")
                if self.call.include_usage:
                    tokens = sum(choice.completion_tokens for choice in choices)
                    await stream.event(reply.usage_chunk(tokens))
                await stream.finish()
            except asyncio.CancelledError:
                if self.broken_off is None:
                    raise
                await stream.fail(self.broken_off)
            except EngineError as error:
                await stream.fail(api_error(error))
            except OSError:
                raise
            except Exception:
                await stream.fail(ApiError(500, "the answer failed", code="internal_error"))
                raise


async def _send_whole(send: Send, reply: Reply, choices: list[Choice]) -> None:
    many = sum(len(choice.tokens) for choice in choices) > _MANY_TOKENS
    if many or any(choice.echoed for choice in choices):
        text = await asyncio.to_thread(lambda: written(reply.whole(choices)))
    else:
        text = written(reply.whole(choices))
    response = Response(text, media_type="application/json")
    await send({"type": "http.response.start", "status": 200, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body})


async def _merged(generations: Sequence[Generation]) -> AsyncGenerator[tuple[int, Delta], None]:
    """The deltas of all as they come, each with the place of its generation."""
    if len(generations) == 1:
        async for only in generations[0]:
            yield 0, only
        return
    sources = [aiter(generation) for generation in generations]
    waiting = {asyncio.create_task(_next(source)): place for place, source in enumerate(sources)}
    try:
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                place = waiting.pop(task)
                delta = task.result()
                if delta is not None:
                    waiting[asyncio.create_task(_next(sources[place]))] = place
                    yield place, delta
    finally:
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting)


async def _next(source: AsyncIterator[Delta]) -> Delta | None:
    return await anext(source, None)


def _add_next(
    choice: Choice, following: TokenLogprob, format_: ChatFormat, runtime: Runtime
) -> None:
    """The one likeliest token after an echoed text, which may be the end of the text."""
    ended = following.token in runtime.engine.eos_token_ids
    choice.add(
        Delta(
            text=format_.decode([following.token]),
            completion_tokens=1,
            finish_reason="stop" if ended else "length",
            tokens=(following,),
        )
    )
