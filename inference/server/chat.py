"""Messages to token ids: the chat template of the tokenizer, or a plain form for pretrained models.

It knows tokenizers and templates; it knows no engine and no HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError

QUESTION_ANSWER = "question-answer"
_QUESTION_ANSWER_TEMPLATE = """\
{% for message in messages %}\
{% if message['role'] == 'system' %}{{ message['content'] }}

{% elif message['role'] == 'user' %}Question: {{ message['content'] }}
{% else %}Answer: {{ message['content'] }}

{% endif %}{% endfor %}{% if add_generation_prompt %}Answer:{% endif %}"""
_QUESTION_ANSWER_STOPS = ("\nQuestion:", "\nAnswer:")


class ChatFormatError(ValueError):
    """Messages that the model's chat template does not accept."""


class ChatFormat:
    """How one model reads a conversation, and how its tokens become text again."""

    def __init__(self, tokenizer: Any, template: str = "") -> None:
        self._tokenizer = tokenizer
        self._plain = template == QUESTION_ANSWER or not (template or tokenizer.chat_template)
        self._template = _QUESTION_ANSWER_TEMPLATE if self._plain else (template or None)
        self.stops: tuple[str, ...] = _QUESTION_ANSWER_STOPS if self._plain else ()
        """Stop strings that the format needs beside those of the request."""

    def encode_chat(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """Token ids up to where the assistant begins to speak. Raises ChatFormatError."""
        try:
            text = self._tokenizer.apply_chat_template(
                list(messages),
                chat_template=self._template,
                add_generation_prompt=True,
                tokenize=False,
            )
        except TemplateError as error:
            raise ChatFormatError(f"the chat template refuses these messages: {error}") from error
        # A chat template writes the special tokens itself; the plain form has none.
        return self._encode(text, special=self._plain)

    def encode_text(self, text: str) -> list[int]:
        """Token ids of a plain prompt."""
        return self._encode(text, special=True)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text without special tokens."""
        text: str = self._tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _encode(self, text: str, *, special: bool) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids
