"""What can be wrong with what a voter asks, each with a code, a sentence and the field at fault.

The HTTP status stands here too, so that pages and API answer alike. No message here ever carries
a provider's words, a model's name, or a number that differs between models.
"""

from __future__ import annotations

import re


class ArenaError(Exception):
    """`code` is for programs, `message` for people, `field` names the input at fault.

    `retry_after` is in seconds, where it is known when to come back.
    """

    code = "invalid"
    status = 400
    retry_after: int | None = None

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def body(self) -> dict[str, dict[str, str]]:
        """`{"error": {"code", "message", "field"?}}`, the one shape of every API error."""
        return error_body(self.code, self.message, self.field)


def error_body(code: str, message: str, field: str | None = None) -> dict[str, dict[str, str]]:
    """The shape of an error that is not the arena's own."""
    error = {"code": code, "message": message}
    if field is not None:
        error["field"] = field
    return {"error": error}


class MethodNotAllowedError(ArenaError):
    code = "method_not_allowed"
    status = 405

    def __init__(self) -> None:
        super().__init__("This path is for GET.")


class InvalidInputError(ArenaError):
    code = "invalid"


class InvalidPromptError(InvalidInputError):
    code = "invalid_prompt"

    def __init__(self, message: str) -> None:
        super().__init__(message, field="prompt")


class ConsentMissingError(ArenaError):
    code = "consent_required"

    def __init__(self) -> None:
        super().__init__(
            "Please agree first that prompt, answers and vote are kept and may be published.",
            field="consent",
        )


class BattleNotFoundError(ArenaError):
    code = "not_found"
    status = 404

    def __init__(self) -> None:
        super().__init__("There is no such battle of yours.")


class NoLiveModelsError(ArenaError):
    code = "no_live_models"
    status = 503

    def __init__(self) -> None:
        super().__init__("Fewer than two models can answer now. Please try again in a minute.")


class BallotUnknownError(ArenaError):
    code = "invalid_ballot"

    def __init__(self) -> None:
        super().__init__(
            "This ballot is not for the answers that are there now. Please look at them again.",
            field="ballot",
        )


class BallotSpentError(ArenaError):
    code = "ballot_spent"
    status = 409

    def __init__(self) -> None:
        super().__init__("You have already voted on this turn, and differently.")


class NotVotableError(ArenaError):
    code = "not_votable"
    status = 409


class NotGeneratingError(ArenaError):
    code = "not_generating"
    status = 409


class NotContinuableError(ArenaError):
    code = "not_continuable"
    status = 409


class NotRetryableError(ArenaError):
    code = "not_retryable"
    status = 409


def _wait(seconds: int) -> str:
    """A wait in words, never shorter than it is."""
    if seconds < 120:
        return f"{seconds} s"
    minutes = -(-seconds // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{-(-minutes // 60)} hours"


class RateLimitedError(ArenaError):
    code = "rate_limited"
    status = 429

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(f"That was a lot at once. Please come back in {_wait(retry_after)}.")
        self.retry_after = retry_after


class SpendCapError(ArenaError):
    """The provider behind a named model has cost what it may cost in a day."""

    code = "spend_cap"
    status = 429

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(
            "Today's budget for this model is used up. Please choose another one, or come back "
            "after midnight UTC."
        )
        self.retry_after = retry_after


class ChallengeRequiredError(ArenaError):
    code = "challenge_required"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "A battle needs a proof of work first: solve what GET /api/v1/challenge/ gives, and "
            "send it along.",
            field="challenge",
        )


class ChallengeFailedError(ArenaError):
    code = "challenge_failed"

    def __init__(self, message: str) -> None:
        super().__init__(message, field="challenge")


# What moderators call it: self-harm/intent (OpenAI), self_harm, Suicide & Self-Harm …
_SELF_HARM = re.compile(r"self.?harm|suicid", re.IGNORECASE)


class ModeratedError(ArenaError):
    """A moderator found something in a prompt that the operator does not take."""

    code = "moderated"

    def __init__(self, *, category: str) -> None:
        if _SELF_HARM.search(category):
            message = (
                "This prompt was not sent; if you think of harming yourself, please talk to "
                "somebody now: findahelpline.com lists free and confidential help near you."
            )
        else:
            message = (
                f'This prompt was not sent, since it looks like "{category}", which this arena '
                "does not take; please ask in another way."
            )
        super().__init__(message, field="prompt")


class NotVotedError(ArenaError):
    code = "not_voted"
    status = 409

    def __init__(self) -> None:
        super().__init__("Please vote first; then you can say why.")
