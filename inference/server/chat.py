"""Messages to token ids: the chat template of the tokenizer, or a plain form for pretrained models.

It knows tokenizers and templates; it knows no engine and no HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateSyntaxError

from inference.server.vocabulary import Vocabulary

QUESTION_ANSWER = "question-answer"
_QUESTION_ANSWER_TEMPLATE = """\
{% for message in messages %}\
{% if message['role'] == 'system' %}{{ message['content'] }}

{% elif message['role'] == 'user' %}Question: {{ message['content'] }}
{% else %}Answer: {{ message['content'] }}

{% endif %}{% endfor %}{% if add_generation_prompt %}Answer:{% endif %}"""
_QUESTION_ANSWER_STOPS = ("\nQuestion:", "\nAnswer:")
_PROBE = "preferendum-system-prompt"
_PRIVATE_USE = range(0xE000, 0xF900)

Messages = Sequence[dict[str, str]]


class ChatFormatError(ValueError):
    """A chat template that is broken, or messages that it does not accept."""


class ChatFormat:
    """How one model reads a conversation, and how its tokens become text again.

    Text of a message stays text: a person who types `<|im_end|>` ends nobody's turn.
    Raises ChatFormatError for a template that is not valid Jinja.
    """

    def __init__(self, tokenizer: Any, template: str = "") -> None:
        self._tokenizer = tokenizer
        self._plain = template == QUESTION_ANSWER or not (template or tokenizer.chat_template)
        self._template = _QUESTION_ANSWER_TEMPLATE if self._plain else (template or None)
        self.stops: tuple[str, ...] = _QUESTION_ANSWER_STOPS if self._plain else ()
        """Stop strings that the format needs beside those of the request."""
        self._control = _control_tokens(tokenizer, str(self._template or tokenizer.chat_template))
        # Some vocabularies have thousands: they are looked up, and only where one can begin.
        self._control_lengths = sorted({len(text) for text in self._control})
        first = "".join(re.escape(letter) for letter in {text[0] for text in self._control})
        self._control_starts = re.compile(f"[{first}]") if first else None
        self.vocabulary = Vocabulary(tokenizer)
        """Bytes and names of single tokens."""
        self._takes_system = self._shows_system_prompt()

    def encode_chat(self, messages: Messages) -> list[int]:
        """Token ids up to where the assistant begins to speak. Raises ChatFormatError.

        Where the template has no place for a system prompt, it stands before the first question,
        which is how Gemma 3 has been trained to read one.
        """
        if not self._takes_system:
            messages = _without_system(messages)
        mark = _unused_character(messages)
        # A control token that a person typed is cut after its first character, and the pieces are
        # tokenised apart: this gives the tokens of its text, and elsewhere what it always gives.
        text = self._render([self._with_marks(message, mark) for message in messages])
        first, *rest = text.split(mark)
        # A chat template writes the special tokens itself; the plain form has none.
        ids = self._encode(first, special=self._plain)
        return ids + self._encode_inside(rest)

    def encode_text(self, text: str) -> list[int]:
        """Token ids of a plain prompt, in which special tokens may be written out."""
        return self._encode(text, special=True)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text without special tokens."""
        text: str = self._tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _render(self, messages: Messages) -> str:
        try:
            text: str = self._tokenizer.apply_chat_template(
                list(messages),
                chat_template=self._template,
                add_generation_prompt=True,
                tokenize=False,
            )
        except TemplateSyntaxError as error:
            raise ChatFormatError(f"the chat template is not valid: {error}") from error
        except Exception as error:  # a template is a program: it may raise anything
            raise ChatFormatError(f"the chat template refuses these messages: {error}") from error
        return text

    def _shows_system_prompt(self) -> bool:
        question = {"role": "user", "content": "?"}
        try:
            return _PROBE in self._render([{"role": "system", "content": _PROBE}, question])
        except ChatFormatError as error:
            if isinstance(error.__cause__, TemplateSyntaxError):
                raise
            return False

    def _with_marks(self, message: dict[str, str], mark: str) -> dict[str, str]:
        """The message with `mark` behind the first character of every control token in it."""
        content = message["content"]
        if self._control_starts is None:
            return message

        def marked(found: re.Match[str]) -> str:
            rest = (content[found.start() : found.start() + n] for n in self._control_lengths)
            return found.group() + (mark if any(text in self._control for text in rest) else "")

        return message | {"content": self._control_starts.sub(marked, content)}

    def _encode_inside(self, pieces: Sequence[str]) -> list[int]:
        """Token ids of texts that go on from another, where some tokenizers would put a blank."""
        if not pieces:
            return []
        before = next(iter(self._control))
        texts = [before, *(before + piece for piece in pieces)]
        alone, *encoded = self._tokenizer(texts, add_special_tokens=False)["input_ids"]
        return [token for ids in encoded for token in ids[len(alone) :]]

    def _encode(self, text: str, *, special: bool) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids


def _control_tokens(tokenizer: Any, template: str) -> dict[str, None]:
    """Texts that the tokenizer reads as one token with a meaning of its own, in its order.

    These are the special tokens, and words of the template that are tokens although nobody marked
    them as special, as the role markers of some fine-tuned models.
    """
    found = [
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if token.special or (token.content in template and re.search(r"\w", token.content))
    ]
    return dict.fromkeys(text for text in found if len(text) > 1)


def _unused_character(messages: Messages) -> str:
    used = {character for message in messages for character in message["content"]}
    free = next((code for code in _PRIVATE_USE if chr(code) not in used), None)
    if free is None:
        raise ChatFormatError("the messages hold every character of the private use area")
    return chr(free)


def _without_system(messages: Messages) -> Messages:
    """The system prompts put before the first message of the user, as text."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    others = [message for message in messages if message["role"] != "system"]
    first = next((n for n, message in enumerate(others) if message["role"] == "user"), None)
    if not system or first is None:
        return messages
    content = "\n\n".join([*system, others[first]["content"]])
    return [*others[:first], others[first] | {"content": content}, *others[first + 1 :]]
