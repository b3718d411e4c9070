"""What drf-spectacular cannot find by itself: the stream, which is no DRF view."""

from __future__ import annotations

from typing import Any

EVENTS_PATH = "/api/v1/battles/{battle_id}/events/"


def with_event_stream(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook: adds the Server-Sent Events of a battle to the schema."""
    result["paths"][EVENTS_PATH] = {
        "get": {
            "operationId": "battle_events",
            "summary": "The battle's stream as Server-Sent Events",
            "description": "`id` is the event's seq, `data` its JSON. Ends after the last answer.",
            "tags": ["battles"],
            "parameters": [
                {
                    "in": "path",
                    "name": "battle_id",
                    "required": True,
                    "schema": {"type": "string", "format": "uuid"},
                },
                {
                    "in": "header",
                    "name": "Last-Event-ID",
                    "description": "The seq of the last event seen; the stream goes on after it.",
                    "schema": {"type": "integer"},
                },
            ],
            "responses": {
                "200": {
                    "description": "snapshot, delta, answer_done and answer_failed events",
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
                "204": {"description": "All events have been seen."},
                "404": {"description": "There is no such battle of this voter."},
            },
        }
    }
    return result
