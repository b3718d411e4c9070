"""Which language a text is in, or that nobody can tell. Knows nothing of prompts or of Django.

py3langid (a naive Bayes classifier on byte n-grams, after M. Lui and T. Baldwin, "langid.py", 2012)
tells languages apart; the script alone tells where only one language is written in it. The
classifier is loaded at the first text that needs it, since it takes 0.4 s and 75 MB.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from arena.style_counts import prose_of
from arena.tagging.interface import UNKNOWN_LANGUAGE

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Of the model's 140 those that people write to an arena in. Fewer is more: a short English prompt
# has as much in common with Latin or Breton as with English.
LANGUAGES = re.findall(
    r"\w+",
    "af am ar az be bg bn ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it"
    " ja ka kk km kn ko lo lt lv mk ml mn mr ms my ne nl no pa pl ps pt ro ru si sk sl so sq sr sv"
    " sw ta te th tl tr uk ur uz vi zh",
)
# Not a language: the model's class of addresses, numbers and noise.
_NO_LANGUAGE = "zxx"

# Scripts that one of LANGUAGES alone is written in, by the first word of their characters' names.
_SCRIPTS = {
    "HANGUL": "ko", "HIRAGANA": "ja", "CJK": "zh", "THAI": "th", "LAO": "lo",
    "KHMER": "km", "MYANMAR": "my", "GREEK": "el", "HEBREW": "he", "ARMENIAN": "hy",
    "GEORGIAN": "ka", "ETHIOPIC": "am", "BENGALI": "bn", "GUJARATI": "gu", "GURMUKHI": "pa",
    "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml", "SINHALA": "si",
}  # fmt: skip

# The commonest prompts of all are too short for any classifier.
_GREETINGS = {
    "hi": "en", "hello": "en", "hey": "en", "thanks": "en", "thank you": "en", "hello there": "en",
    "hi there": "en", "good morning": "en", "who are you": "en", "hallo": "de", "guten tag": "de",
    "danke": "de", "bonjour": "fr", "salut": "fr", "merci": "fr", "hola": "es", "gracias": "es",
    "buenos días": "es", "olá": "pt", "oi": "pt", "obrigado": "pt", "ciao": "it", "grazie": "it",
    "привет": "ru", "спасибо": "ru", "привіт": "uk", "merhaba": "tr", "مرحبا": "ar", "سلام": "fa",
    "नमस्ते": "hi",
}  # fmt: skip

# How much oftener than others people write in these (rounded from the languages of the public
# Chatbot Arena and WildChat data). Decides where a few words fit several, and never a long text.
_PRIOR = {"en": 8.0} | dict.fromkeys(
    ["ar", "de", "es", "fa", "fr", "id", "it", "nl", "pl", "pt", "ru", "tr", "uk", "vi", "zh"], 3.0
)
# Below this probability it was wrong more often than right on prompts of a few words.
CONFIDENCE = 0.4
# More of a text changes nothing and costs 0.1 ms a KB.
_ENOUGH = 4_000
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S{1,2000}|\S{1,200}@\S{1,200}")


def language_of(text: str) -> str:
    """The ISO 639-1 code of what `text` is mostly written in, code left out; "und" when unsure."""
    prose = _ADDRESS.sub(" ", prose_of(text))[:_ENOUGH].strip()
    greeting = _GREETINGS.get(prose.casefold().strip(" .!?,'\"¡¿"))
    if greeting:
        return greeting
    letters = Counter(
        unicodedata.name(character, "?").split(" ")[0] for character in prose if character.isalpha()
    )
    if not letters:
        return UNKNOWN_LANGUAGE
    # Japanese is written with Chinese characters too, but Chinese never with kana.
    kana = letters.pop("HIRAGANA", 0) + letters.pop("KATAKANA", 0)
    if kana and kana * 10 >= letters["CJK"]:
        letters["HIRAGANA"] = kana + letters.pop("CJK", 0)
    script, count = letters.most_common(1)[0]
    # A character outside of the alphabets says more than a letter does: it is a syllable or a word.
    weight = 3 if script in {"CJK", "HANGUL", "HIRAGANA"} else 1
    if script in _SCRIPTS and count * weight * 2 > letters.total():
        return _SCRIPTS[script]
    odds: dict[str, float] = {
        name: _PRIOR.get(name, 1.0) * p for name, p in _identifier().rank(prose)
    }
    language = max(odds, key=lambda name: odds[name])
    if language == _NO_LANGUAGE or odds[language] < CONFIDENCE * sum(odds.values()):
        return UNKNOWN_LANGUAGE
    return language


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*LANGUAGES, _NO_LANGUAGE])
    return identifier
