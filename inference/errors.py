"""Why no (further) text came from a model. Knows nothing of who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.endpoint_pool import EndpointAddress


class GenerationError(Exception):
    """`str()` is for operators and may hold a provider's words; never show it to a voter.

    `endpoint` is the one that failed, and `setbacks` are the failures of the tries before this
    one; the client sets both. `retry_after` is in seconds, where the server said it.
    """

    # Whether the same endpoint may do better at the next try.
    retryable = False
    endpoint: EndpointAddress | None = None
    setbacks: tuple[GenerationError, ...] = ()
    retry_after: float | None = None


class EndpointUnavailableError(GenerationError):
    """The server cannot be reached, broke off, or said that it cannot serve anybody (5xx)."""

    retryable = True


class ProtocolError(EndpointUnavailableError):
    """The server answered something that is not a chat completion stream."""

    retryable = False


class EndpointRefusesUsError(EndpointUnavailableError):
    """The server serves others, but not with our key or under this path (401, 403, 404)."""

    retryable = False


class RedirectError(EndpointUnavailableError):
    """The server named another address (3xx), where neither prompt nor key is sent."""

    retryable = False


class AddressRefusedError(EndpointUnavailableError):
    """The address is private and ENDPOINT_NETWORKS does not allow it; nothing was sent."""

    retryable = False


class EndpointRestingError(EndpointUnavailableError):
    """Every endpoint failed again and again just now, and is left alone for a while."""

    retryable = False


class EndpointBusyError(GenerationError):
    """The server said 429 or that it is overloaded, or all its places were taken for too long."""

    retryable = True


class EndpointTimeoutError(GenerationError):
    """A limit in time ran out: first token, between tokens or in total."""


class ConnectTimeoutError(EndpointTimeoutError):
    """No connection within its limit: the host is gone, or something swallows what is sent."""


class RequestRefusedError(GenerationError):
    """The server refused this one request (400, 413, 422, a content filter): others may go well."""


class ContextOverflowError(RequestRefusedError):
    """The conversation is longer than the model can read."""


class EndlessAnswerError(GenerationError):
    """The answer went past every length that an answer can have."""
