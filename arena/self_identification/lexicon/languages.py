"""All languages whose words are known. Knows no names of models."""

from __future__ import annotations

from collections.abc import Sequence

from arena.self_identification.lexicon import Language
from arena.self_identification.lexicon.arabic import ARABIC
from arena.self_identification.lexicon.bengali import BENGALI
from arena.self_identification.lexicon.chinese import CHINESE
from arena.self_identification.lexicon.czech import CZECH
from arena.self_identification.lexicon.danish import DANISH
from arena.self_identification.lexicon.dutch import DUTCH
from arena.self_identification.lexicon.english import ENGLISH
from arena.self_identification.lexicon.finnish import FINNISH
from arena.self_identification.lexicon.french import FRENCH
from arena.self_identification.lexicon.german import GERMAN
from arena.self_identification.lexicon.greek import GREEK
from arena.self_identification.lexicon.hebrew import HEBREW
from arena.self_identification.lexicon.hindi import HINDI
from arena.self_identification.lexicon.hungarian import HUNGARIAN
from arena.self_identification.lexicon.indonesian import INDONESIAN
from arena.self_identification.lexicon.italian import ITALIAN
from arena.self_identification.lexicon.japanese import JAPANESE
from arena.self_identification.lexicon.korean import KOREAN
from arena.self_identification.lexicon.persian import PERSIAN
from arena.self_identification.lexicon.polish import POLISH
from arena.self_identification.lexicon.portuguese import PORTUGUESE
from arena.self_identification.lexicon.romanian import ROMANIAN
from arena.self_identification.lexicon.russian import RUSSIAN
from arena.self_identification.lexicon.spanish import SPANISH
from arena.self_identification.lexicon.swedish import SWEDISH
from arena.self_identification.lexicon.thai import THAI
from arena.self_identification.lexicon.turkish import TURKISH
from arena.self_identification.lexicon.ukrainian import UKRAINIAN
from arena.self_identification.lexicon.vietnamese import VIETNAMESE
from arena.self_identification.phrase_tree import PhraseTree

LANGUAGES: tuple[Language, ...] = tuple(
    Language(name, entries)
    for name, entries in {
        "en": ENGLISH,
        "fr": FRENCH,
        "es": SPANISH,
        "pt": PORTUGUESE,
        "it": ITALIAN,
        "ro": ROMANIAN,
        "de": GERMAN,
        "nl": DUTCH,
        "sv": SWEDISH,
        "da": DANISH,
        "ru": RUSSIAN,
        "uk": UKRAINIAN,
        "pl": POLISH,
        "cs": CZECH,
        "tr": TURKISH,
        "id": INDONESIAN,
        "fi": FINNISH,
        "hu": HUNGARIAN,
        "el": GREEK,
        "ar": ARABIC,
        "he": HEBREW,
        "fa": PERSIAN,
        "hi": HINDI,
        "bn": BENGALI,
        "zh": CHINESE,
        "ja": JAPANESE,
        "ko": KOREAN,
        "th": THAI,
        "vi": VIETNAMESE,
    }.items()
)


def _cues() -> PhraseTree[list[Language]]:
    cues: PhraseTree[list[Language]] = PhraseTree()
    for language in LANGUAGES:
        for cue in sorted(language.cues):
            cues.add(cue, []).append(language)
    return cues


_CUES = _cues()
CUE_FIRSTS = _CUES.firsts()


def languages_of(tokens: Sequence[str]) -> list[Language]:
    """The languages one of whose cues stands in `tokens`: only they can read a claim in it."""
    found: dict[str, Language] = {}
    for place, token in enumerate(tokens):
        if token in CUE_FIRSTS:
            for _, languages in _CUES.matches(tokens, place):
                found.update((language.name, language) for language in languages)
    return list(found.values())
