"""What a prompt, and a remark about an answer, may be. Knows nothing of battles."""

from __future__ import annotations

import re
import unicodedata

from arena.errors import InvalidInputError, InvalidPromptError

MAX_CHARACTERS = 8_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _is_visible(character: str) -> bool:
    # Blanks and format characters (zero-width spaces, joiners, direction marks) show nothing.
    return unicodedata.category(character) not in {"Zs", "Zl", "Zp", "Cc", "Cf"}


def prompt_clean(text: object) -> str:
    """The prompt with Unix line ends; raises InvalidPromptError naming what is wrong with it.

    Control characters are refused, not dropped: what is stored is what the models were asked.
    """
    if not isinstance(text, str):
        raise InvalidPromptError("The prompt must be text.")
    prompt = _unix(text)
    if not any(_is_visible(character) for character in prompt):
        raise InvalidPromptError("Please type a prompt first.")
    if fault := _fault(prompt, what="prompt", limit=MAX_CHARACTERS):
        raise InvalidPromptError(fault)
    return prompt


def remark_clean(text: object, *, field: str, limit: int) -> str:
    """A comment or note, "" for none, under the same rules; `field` is what the input is called.

    Raises InvalidInputError.
    """
    if text is None:
        return ""
    if not isinstance(text, str):
        raise InvalidInputError(f"The {field} must be text.", field=field)
    remark = _unix(text).strip()
    if fault := _fault(remark, what=field, limit=limit):
        raise InvalidInputError(fault, field=field)
    return remark


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _fault(text: str, *, what: str, limit: int) -> str:
    """What is wrong with a text, for its writer; "" for nothing."""
    if len(text) > limit:
        return f"The {what} has {len(text):,} characters; at most {limit:,} are allowed."
    found = _CONTROL.search(text)
    if found:
        return (
            f"The {what} holds a control character (U+{ord(found[0]):04X} at position "
            f"{found.start() + 1}). Please remove it."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return (
            f"The {what} holds half of a character (a lone surrogate at position "
            f"{error.start + 1}). Please remove it."
        )
    return ""
