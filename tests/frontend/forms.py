"""What a visitor without JavaScript sends in a conversation, and where it leads."""

from __future__ import annotations

from django.test import Client

from tests.frontend.test_pages import PROMPT, ballot_of, shown

HTMX = {"HX-Request": "true"}
PAIR = {"model_a": "beta-9b", "model_b": "alpha-7b"}


def begun(client: Client, path: str, **chosen: str) -> str:
    """Start by the form at `path`; the path of the battle's page."""
    response = client.post(path, {**PROMPT, **chosen})
    assert response.status_code == 303, response.content.decode()
    return str(response["Location"])


def gone_on(client: Client, path: str, prompt: str = "And why at night?") -> str:
    """Ask something more; where the answer to the form leads."""
    response = client.post(f"{path}turns/", {"prompt": prompt})
    assert response.status_code == 303, response.content.decode()
    return str(response["Location"])


def voted(client: Client, path: str, choice: str = "a", *, turn: int = 0) -> str:
    """Vote on the last turn; the page after it."""
    ballot = ballot_of(shown(client, path, 'id="ballot"'), choice)
    response = client.post(f"{path}vote/", {**ballot, "turn": str(turn)})
    assert response.status_code == 303, response.content.decode()
    return client.get(path).content.decode()
