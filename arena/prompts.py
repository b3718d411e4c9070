"""What a prompt may be. Knows nothing of battles."""

from __future__ import annotations

import re
import unicodedata

from arena.errors import InvalidPromptError

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
    prompt = text.replace("\r\n", "\n").replace("\r", "\n")
    if not any(_is_visible(character) for character in prompt):
        raise InvalidPromptError("Please type a prompt first.")
    if len(prompt) > MAX_CHARACTERS:
        raise InvalidPromptError(
            f"The prompt has {len(prompt):,} characters; at most {MAX_CHARACTERS:,} are allowed."
        )
    found = _CONTROL.search(prompt)
    if found:
        raise InvalidPromptError(
            f"The prompt holds a control character (U+{ord(found[0]):04X} at position "
            f"{found.start() + 1}). Please remove it."
        )
    try:
        prompt.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidPromptError(
            f"The prompt holds half of a character (a lone surrogate at position "
            f"{error.start + 1}). Please remove it."
        ) from error
    return prompt
