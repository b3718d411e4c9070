"""Fights battles as any program can, and keeps all that it saw before the vote; then it votes, and
learns who answered.

Knows nothing of what may be read from it: `benchmarks.sightings` and `benchmarks.blinding` do.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import websockets

# Of a response, what differs from battle to battle whoever answers.
_OWN_HEADERS = {"date", "set-cookie", "content-length", "sec-websocket-accept"}


@dataclass
class SeenSide:
    """One answer as it was seen: text with the moments (seconds after the prompt was sent) at
    which pieces of it came, the bytes of the frames that brought them, and its end."""

    text: str = ""
    pieces: list[tuple[float, int]] = field(default_factory=list)
    frame_bytes: list[int] = field(default_factory=list)
    ended: float = 0.0

    def add(self, text: str, *, at: float, frame_bytes: int) -> None:
        if text:
            self.text += text
            self.pieces.append((at, len(text)))
            self.frame_bytes.append(frame_bytes)


@dataclass
class SeenBattle:
    """One battle, and who answered, which was told after the vote."""

    prompt: str
    pacing: str
    sides: dict[str, SeenSide]
    headers: tuple[tuple[str, str], ...]
    models: dict[str, str]


async def battle_see(url: str, prompt: str) -> SeenBattle | None:
    """Fight one battle as a voter of its own; None when an answer failed."""
    # A connection for each request: a kept one may be closed while the answers come.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as http:
        begun = time.monotonic()
        response = await http.post("/api/v1/battles/", json={"prompt": prompt, "consent": True})
        response.raise_for_status()
        battle = response.json()
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        sides, headers = await _watch(url, battle["id"], cookie, begun)
        if sides is None:
            return None
        vote = {"turn": 0, "choice": "tie", "ballot": battle["turns"][0]["ballot"]}
        voted = await http.post(f"/api/v1/battles/{battle['id']}/vote/", json=vote)
        voted.raise_for_status()
        models = {side: model["slug"] for side, model in voted.json()["models"].items()}
    told = [*response.headers.items(), *headers]
    kept = tuple(sorted((name, value) for name, value in told if name not in _OWN_HEADERS))
    return SeenBattle(prompt, battle["pacing"], sides, kept, models)


async def _watch(
    url: str, battle_id: str, cookie: str, begun: float
) -> tuple[dict[str, SeenSide] | None, list[tuple[str, str]]]:
    """Both sides up to their ends (None when one failed), and the headers of the handshake."""
    sides = {"a": SeenSide(), "b": SeenSide()}
    async with websockets.connect(
        f"{url.replace('http', 'ws', 1)}/ws/battles/{battle_id}/?format=json",
        additional_headers={"Cookie": cookie},
    ) as socket:
        headers = (
            [(n.lower(), v) for n, v in socket.response.headers.raw_items()]
            if socket.response
            else []
        )
        while not all(side.ended for side in sides.values()):
            frame = await socket.recv()
            now = time.monotonic() - begun
            event = json.loads(frame)
            if event["type"] == "answer_failed":
                return None, headers
            if event["type"] == "answer_done":
                sides[event["side"]].ended = sides[event["side"]].ended or now
            for name, side in sides.items():
                if name in event:
                    side.add(event[name]["text"], at=now, frame_bytes=len(frame))
    return sides, headers


async def battles_see(
    url: str, prompts: Sequence[str], *, at_once: int
) -> tuple[list[SeenBattle], int]:
    """One battle for each prompt, some at a time; and how many failed."""
    places = asyncio.Semaphore(at_once)

    async def one(prompt: str) -> SeenBattle | None:
        async with places:
            return await battle_see(url, prompt)

    seen = await asyncio.gather(*map(one, prompts))
    whole = [battle for battle in seen if battle is not None]
    return whole, len(seen) - len(whole)
