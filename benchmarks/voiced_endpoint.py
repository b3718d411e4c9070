"""An OpenAI-compatible server of models that differ in how they write and in how fast they come.

Scripted, so that it is known what there is to find: `plain` and `listing` voices, each delivered
`quick` and `steady`. Two models of one voice can only be told apart by their timing, two of one
delivery only by their text.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


@dataclass(frozen=True)
class Delivery:
    """How an answer comes: seconds to the first piece (mean), characters a second, and a piece."""

    first: float
    speed: float
    piece: int


@dataclass(frozen=True)
class Voice:
    """How an answer is written: sentences at least and at most, and whether as a list."""

    sentences: tuple[int, int]
    as_list: bool


@dataclass(frozen=True)
class ScriptedModel:
    voice: Voice
    delivery: Delivery


PLAIN = Voice(sentences=(2, 5), as_list=False)
LISTING = Voice(sentences=(3, 6), as_list=True)
QUICK = Delivery(first=0.15, speed=400, piece=18)
STEADY = Delivery(first=0.5, speed=110, piece=5)
MODELS = {
    "plain-quick": ScriptedModel(PLAIN, QUICK),
    "plain-steady": ScriptedModel(PLAIN, STEADY),
    "listing-quick": ScriptedModel(LISTING, QUICK),
    "listing-steady": ScriptedModel(LISTING, STEADY),
}
_SUBJECTS = (
    "the air", "water", "a good plan", "most people", "the light", "every rule", "a small change",
)  # fmt: skip
_VERBS = (
    "depends on", "changes with", "is shaped by", "follows from", "goes along with",
    "matters less than",
)  # fmt: skip
_OBJECTS = (
    "the season", "what came before", "how it is measured", "the place", "time and patience",
    "its parts", "chance",
)  # fmt: skip
_OPENINGS = ("In short, ", "Well, ", "Mostly, ", "As a rule, ", "")


def answer(model: ScriptedModel, dice: random.Random) -> str:
    """A text in the model's voice; both voices say the same sentences."""
    sentences = [_sentence(dice) for _ in range(dice.randint(*model.voice.sentences))]
    if model.voice.as_list:
        points = [f"- **{words.split()[0]}** {words}" for words in sentences]
        return "Here are some points:\n\n" + "\n".join(points)
    return dice.choice(_OPENINGS) + ". ".join(sentences) + "."


def _sentence(dice: random.Random) -> str:
    return f"{dice.choice(_SUBJECTS)} {dice.choice(_VERBS)} {dice.choice(_OBJECTS)}"


async def _models(_: Request) -> Response:
    return JSONResponse({"data": [{"id": name} for name in MODELS]})


async def _chat(request: Request) -> Response:
    model = MODELS[(await request.json())["model"]]
    return StreamingResponse(_pieces(model), media_type="text/event-stream")


async def _pieces(model: ScriptedModel) -> AsyncIterator[bytes]:
    dice = random.Random()  # another answer each time, as a model's
    text = answer(model, dice)
    delivery = model.delivery
    loop = asyncio.get_running_loop()
    due = loop.time() + delivery.first * dice.uniform(0.7, 1.3)
    for begin in range(0, len(text), delivery.piece):
        await asyncio.sleep(max(0.0, due - loop.time()))
        due += delivery.piece / delivery.speed * dice.uniform(0.8, 1.2)
        content = text[begin : begin + delivery.piece]
        yield _event({"delta": {"content": content}, "finish_reason": None})
    yield _event({"delta": {}, "finish_reason": "stop"})
    yield b"data: [DONE]\n\n"


def _event(choice: dict[str, object]) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, **choice}]})}\n\n".encode()


application = Starlette(
    routes=[
        Route("/v1/models", _models),
        Route("/v1/chat/completions", _chat, methods=["POST"]),
    ]
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(application, host="127.0.0.1", port=parser.parse_args().port, log_level="warning")
