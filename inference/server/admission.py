"""The way of a checked call into the queues: token ids, requests, places for all of them or none.

It knows the two ways to compute and their limits; it knows no bodies and no transport.
"""

from __future__ import annotations

from dataclasses import replace

from inference.server.api_error import ApiError
from inference.server.chat import ChatFormat, ChatFormatError
from inference.server.generation import Generation, GenerationRequest
from inference.server.protocol import CompletionCall
from inference.server.runtime import Runtime


def encode_prompts(call: CompletionCall, format_: ChatFormat) -> tuple[list[list[int]], int]:
    """The prompts as token ids, and the highest of these. Blocks. Raises ApiError 400."""
    try:
        if call.chat:
            prompts = [format_.encode_chat(call.messages)]
        else:
            prompts = [
                format_.encode_text(prompt) if isinstance(prompt, str) else prompt
                for prompt in call.prompts
            ]
    except ChatFormatError as error:
        raise ApiError(400, str(error), param="messages") from error
    if not all(prompts):
        raise ApiError(400, "the prompt is empty", param="messages" if call.chat else "prompt")
    lowest = min(min(prompt) for prompt in prompts)
    if lowest < 0:
        raise ApiError(400, f"{lowest} is no token id", param="prompt")
    return prompts, max(max(prompt) for prompt in prompts)


def generation_requests(
    call: CompletionCall,
    prompts: list[list[int]],
    runtime: Runtime,
    format_: ChatFormat,
    *,
    seconds: float,
) -> list[GenerationRequest]:
    """One for each choice, in the order of their indices; `seconds` is what each may last."""
    limits = runtime.engine.limits
    room = min(limits.context_length, limits.cache_tokens) - max(map(len, prompts))
    fitting = call.max_tokens if call.max_tokens_given else max(1, min(call.max_tokens, room))
    request = GenerationRequest(
        prompt=[],
        max_tokens=fitting,
        temperature=call.temperature,
        top_p=call.top_p,
        top_k=min(call.top_k, runtime.engine.vocabulary),
        stop=call.stop + (format_.stops if call.chat else ()),
        logprobs=call.logprobs is not None,
        seconds=max(0.001, seconds),
    )
    return [
        replace(request, prompt=prompt, seed=_nth_seed(call.seed, number))
        for prompt in prompts
        for number in range(call.n)
    ]


def admit(runtime: Runtime, requests: list[GenerationRequest]) -> list[Generation]:
    """All of them or none. Raises ApiError and what engine and isolated path raise."""
    limits = runtime.engine.limits
    seeded = requests[0].seed is not None
    most = limits.max_waiting + (1 if seeded else limits.max_running)
    if len(requests) > most:
        kind = " seeded" if seeded else ""
        message = f"{len(requests)}{kind} answers in one request; at most {most} here"
        raise ApiError(400, message, param="n")
    if not seeded:
        return runtime.engine.admit_all(requests)
    admitted: list[Generation] = []
    try:
        for request in requests:
            admitted.append(runtime.isolated.admit(request))  # noqa: PERF401 - closed on an error
    except BaseException:
        for generation in admitted:
            generation.close()
        raise
    return admitted


def _nth_seed(seed: int | None, number: int) -> int | None:
    """Choices of one request differ, and each can be had again. The sum stays within 64 bits."""
    return None if seed is None else (seed + number + 2**63) % 2**64 - 2**63
