"""What a failed answer is called, what operators are told of it, and which endpoints are noted.

Lives in the runner's event loop. Knows nothing of turns, of their text or of who reads it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping

from django.db import DatabaseError

from arena.database import in_database
from arena.models import Answer
from inference import errors
from inference.endpoint_pool import EndpointAddress
from inference.services import endpoint_failed, endpoint_succeeded

logger = logging.getLogger(__name__)

# PostgreSQL's text has no NUL, and half a surrogate pair is no character.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Looked up by class, the nearest first.
ERROR_CODES: Mapping[type[BaseException], Answer.Error] = {
    errors.EndpointUnavailableError: Answer.Error.UNAVAILABLE,
    errors.EndpointBusyError: Answer.Error.BUSY,
    errors.EndpointTimeoutError: Answer.Error.TIMEOUT,
    errors.ContextOverflowError: Answer.Error.TOO_LONG,
    errors.RequestRefusedError: Answer.Error.REFUSED,
    errors.EndlessAnswerError: Answer.Error.ENDLESS,
}


def storable(text: str) -> str:
    """The text with a replacement character for each one that the database cannot hold."""
    return _UNSTORABLE.sub("\ufffd", text)


def failure_code(problem: BaseException) -> Answer.Error:
    """What a voter is told: the same code whoever failed."""
    return next(
        (ERROR_CODES[kind] for kind in type(problem).__mro__ if kind in ERROR_CODES),
        Answer.Error.UNAVAILABLE,
    )


def failure_detail(problem: BaseException) -> str:
    """What operators are told: every try and where it was, the last first."""
    tries: list[BaseException] = [problem]
    if isinstance(problem, errors.GenerationError):
        tries += reversed(problem.setbacks)
    return storable("; before that ".join(map(_told, tries)))


def _told(failure: BaseException) -> str:
    where = failure.endpoint if isinstance(failure, errors.GenerationError) else None
    return f"{type(failure).__name__}: {failure}" + (f" ({where})" if where else "")


async def outages_report(
    failures: Iterable[errors.GenerationError], *, works: EndpointAddress | None = None
) -> None:
    """Note the endpoints that failed, but not one that then did work, and the one that did.

    What a request is to blame for (refused, too long, endless) says nothing of its endpoint.
    """
    kinds = (
        errors.EndpointUnavailableError,
        errors.EndpointTimeoutError,
        errors.EndpointBusyError,
    )
    failed = {
        failure.endpoint.id: f"{type(failure).__name__}: {failure}"
        for failure in failures
        if isinstance(failure, kinds) and failure.endpoint and failure.endpoint.id
    }
    if works is not None and works.id is not None:
        failed.pop(works.id, None)
    try:
        for endpoint_id, said in failed.items():
            await in_database(endpoint_failed, endpoint_id=endpoint_id, problem=storable(said))
        if works is not None and works.id is not None:
            await in_database(endpoint_succeeded, endpoint_id=works.id)
    except DatabaseError:
        # The next probe finds it again; the answer's own end matters more.
        logger.exception("what endpoints did could not be noted")
