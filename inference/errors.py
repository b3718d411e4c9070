"""Why no (further) text came from a model. Knows nothing of who asked."""

from __future__ import annotations


class GenerationError(Exception):
    """`str()` is for operators and may hold a provider's words; never show it to a voter."""


class EndpointUnavailableError(GenerationError):
    """The server cannot be reached, broke off, or said that it cannot serve anybody (5xx, 401)."""


class ProtocolError(EndpointUnavailableError):
    """The server answered something that is not a chat completion stream."""


class EndpointBusyError(GenerationError):
    """The server said 429 or that it is overloaded: it works, but not for us now."""


class EndpointTimeoutError(GenerationError):
    """A limit in time ran out: connect, first token, between tokens or in total."""


class RequestRefusedError(GenerationError):
    """The server refused this one request (400, 413, 422, a content filter): others may go well."""


class ContextOverflowError(RequestRefusedError):
    """The conversation is longer than the model can read."""


class EndlessAnswerError(GenerationError):
    """The answer went past every length that an answer can have."""
