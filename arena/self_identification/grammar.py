"""Sentences in which a speaker names himself, as patterns over the roles of words.

Knows roles and kinds of names, no words and no language. A sentence comes as a string with one
letter for each phrase: the letters of `Role` and `Kind`, "u" for any other word, "n" where that
word follows "I am", "q" for what is quoted, and marks as they are ("," "." "-" ":" "(" ")"). All
repetitions are bounded, so that the work grows with the length of the string and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Strength(Enum):
    """How sure a reading is."""

    SURE = "sure"
    # "I am Claude." alone: a person of that name would say so too. What follows decides.
    BARE = "bare"


@dataclass(frozen=True)
class Reading:
    """Letters `start` to `end` of the string identify; the last of them is the name."""

    start: int
    end: int
    strength: Strength


_NAME = "(?P<name>[mwge])"
_NOT_CLAIMED = "(?<!h)(?<!h[F,:T])"
_MAKERS = "[FTABCab,]{0,8}"

# What may follow "developed" where it follows the name: a model, or nothing.
_AFTER_MADE = r"(?=[FVv]{0,4}u?[FTVa]{0,4}(?:[AKSXIPmwge,.:\-(]|$))"

_AFTER_WORDLIKE = re.compile(
    r"[,\-(:]{0,2}[TFka]{0,5}A|[,\-(:]{1,2}[TFka]{0,3}u?[Fa]{0,2}u?[Fa]{0,2}A|[,\-(:]{0,2}[FT]{0,4}[Vv][FVv]{0,3}[BLb]|F?[Vv]|B[FT]{0,2}[mge]|[,.\-:]{0,2}[FG,]{0,3}k"
)
_OWNED = re.compile(r"[sL][FTau]{0,3}[AVv]")
_INTRODUCED = re.compile(r"$|[,.\-:(]|[FT]{0,3}A|[,F]{0,2}H")
_BARE_AFTER = re.compile(r"F{0,2}(?:$|[.:)])|[,\-]?F{0,2}[SIPNGRJHK]")
_MAKER_AFTER = re.compile(r"$|[,.:()\-AFSIPNGJKsab]")


def _who(roles: str, match: re.Match[str]) -> Strength | None:
    """The name says who speaks."""
    rest = roles[match.end("name") :]
    if re.match("-?x", rest) or (rest[:1] in ("s", "L") and not _OWNED.match(rest)):
        return None
    match match["name"]:
        case "m":
            return Strength.SURE
        case "g":
            return Strength.SURE if _MAKER_AFTER.match(rest) else None
        case _:
            if _AFTER_WORDLIKE.match(rest):
                return Strength.SURE
            if not _BARE_AFTER.match(rest) or "x" in roles:
                return None
            return Strength.SURE if "A" in roles or "k" in roles else Strength.BARE


def _sort(roles: str, match: re.Match[str]) -> Strength | None:
    """The name says of which sort the speaker is; the pattern has seen what follows."""
    if roles[match.start()] == "Q" and not _speaks(roles[match.end() :]):
        return None
    return Strength.SURE


def _maker(roles: str, match: re.Match[str]) -> Strength | None:
    """The name says who made the speaker."""
    rest = roles[match.end("name") :]
    others = roles[: match.start("name")] + rest
    if re.match("[sL][^A]{0,3}x", rest):
        return None
    if roles[match.start()] == "Q" and not _speaks(rest):
        return None
    match match["name"]:
        case "m" | "g":
            return Strength.SURE
        case "e":
            told_of_a_person = "x" in rest[1:] and "A" not in others
            return None if told_of_a_person else Strength.SURE
        case _:
            if not _MAKER_AFTER.match(rest) or "x" in rest:
                return None
            return Strength.SURE if "A" in others or "k" in others else Strength.BARE


def _described(roles: str, match: re.Match[str]) -> Strength | None:
    """As `_maker`, where words that are not known stand between: few, and after an article."""
    unknown = match["open"].count("u")
    if unknown > (7 if "T" in match["open"] else 2):
        return None
    if match["name"] == "w" and "A" not in match[0]:
        return None
    return _maker(roles, match)


def _trained_on(roles: str, match: re.Match[str]) -> Strength | None:
    """As `_maker`, where data stand between: "trained on the job by Google" is a person's."""
    if "k" not in match["open"] or match["open"].count("u") > 5:
        return None
    return _maker(roles, match)


def _trained_me(roles: str, match: re.Match[str]) -> Strength | None:
    """The name does what the verb says to "me": "made me laugh" does not count."""
    rest = roles[match.end() :]
    if match["name"] in "we" or match["verb"] == "v":
        return Strength.SURE if re.match(r"$|[,.:)\-kbaB]|F{1,3}[akAVvb]", rest) else None
    return Strength.SURE


def _as(roles: str, match: re.Match[str]) -> Strength | None:
    rest = roles[match.end() :]
    if match["name"] in "mg" or re.search("[Ak]", rest):
        return Strength.SURE
    return None if match["name"] == "e" or "x" in rest else Strength.BARE


def _last(roles: str, match: re.Match[str]) -> Strength | None:
    """The verb has come after the name: nothing that follows can change who is meant."""
    if match["name"] in "mg" or "A" in roles or "k" in roles:
        return Strength.SURE
    return None if "x" in roles[match.end() :] else Strength.BARE


def _sure(_roles: str, _match: re.Match[str]) -> Strength | None:
    return Strength.SURE


def _this_is(roles: str, match: re.Match[str]) -> Strength | None:
    """ "This is Claude, a model by Anthropic" describes; after a greeting it introduces."""
    rest = roles[match.end("name") :]
    if match["name"] == "e" or not _INTRODUCED.match(rest):
        return None
    greeted = "G" in roles[: match.start()] and "A" in rest
    alone = match["name"] == "m" and rest in ("", ".")
    return Strength.SURE if alone or greeted or re.search("[HSk]", rest) else None


def _speaks(rest: str) -> bool:
    """Somebody says "I" after this."""
    return bool(re.search("[ISPNRJKMX]", rest))


_Accept = Callable[[str, re.Match[str]], Strength | None]

_PATTERNS: tuple[tuple[re.Pattern[str], _Accept], ...] = tuple(
    (re.compile(pattern), accept)
    for pattern, accept in (
        # "I am SmolLM", "my name is, of course, Claude", "I'm not ChatGPT"
        (rf"{_NOT_CLAIMED}[SN][F,:\-]{{0,4}}{_NAME}", _who),
        # "I am a Claude model", "I am an OpenAI-trained assistant", "as Google's assistant, I …"
        (
            (
                rf"{_NOT_CLAIMED}[SQR]F{{0,3}}[TFAa]{{0,4}}{_NAME}"
                r"(?=[sL]?[-FTamwge]{0,3}[AVv]|[sL]?[-FTamwge]{0,3}u{0,2}A)"
            ),
            _sort,
        ),
        # "I am a helpful assistant trained by Hugging Face", "I'm an AI from Google"
        (
            (
                rf"{_NOT_CLAIMED}[SQ][F,]{{0,3}}(?P<open>[TFAau,\-()k]{{0,16}}?(?:A[Bb][TFAauk]{{0,5}}?)?)"
                rf"(?:[Vv][F,Vv]{{0,5}}[Bb]?|A[,F(]{{0,3}}(?:BC?|C)|C){_MAKERS}{_NAME}"
            ),
            _described,
        ),
        # "I'm your assistant, ChatGPT."
        (rf"{_NOT_CLAIMED}S[TFAa]{{0,6}}A,{_NAME}(?=$|\.|,F{{0,2}}[ISH])", _who),
        # "I was created and trained by a team at OpenAI"
        (
            (
                rf"{_NOT_CLAIMED}(?:[SP][F,]{{0,4}}[Vv](?:[F,Vv]{{0,5}}[Bb]{_MAKERS})?"
                rf"|M[F,]{{0,3}}(?:[Bb]{_MAKERS})?){_NAME}"
            ),
            _maker,
        ),
        # "I was trained on a large dataset of text and code by Google"
        (
            (
                rf"{_NOT_CLAIMED}P[F,]{{0,3}}V[F,V]{{0,3}}[Bb](?P<open>[TFAaukBb,]{{1,12}}?)"
                rf"[Bb]{_MAKERS}{_NAME}"
            ),
            _trained_on,
        ),
        # "I run on GPT-4", "I come from Anthropic"
        (rf"{_NOT_CLAIMED}R[FTABCa,:]{{0,7}}{_NAME}", _maker),
        # "OpenAI trained me"
        (rf"{_NAME}[FATsVvba,]{{0,5}}(?P<verb>[Vv])F{{0,2}}[Yy]", _trained_me),
        # "the company that trained me is OpenAI"
        (rf"[Vv]F{{0,2}}[Yy][F,:\-]{{0,5}}[Bb]?[FTACa,]{{0,5}}{_NAME}", _maker),
        # "Меня создала OpenAI", "OpenAI m'a créé"
        (rf"y[Fy]{{0,3}}[Vv][FVv]{{0,3}}[Bb]?[FTA]{{0,4}}{_NAME}", _maker),
        (rf"{_NAME}[Fs]{{0,3}}y[Fy]{{0,3}}[Vv]", _maker),
        # "my creators at Anthropic", "my developer is OpenAI"
        (
            rf"{_NOT_CLAIMED}J[FT,:(]{{0,5}}(?:[Vv]?[FT]{{0,2}}[Bb])?[FTAa,]{{0,5}}{_NAME}",
            _maker,
        ),
        (rf"{_NAME}[Fs,T]{{0,3}}J(?=$|[,.F])", _sure),
        # "As ChatGPT, I …"
        (rf"{_NOT_CLAIMED}QF{{0,2}}{_NAME},?(?=[ISPNRJZK]|[FTAaVvBbmwgeu]{{1,10}},[ISPNRJZ])", _as),
        # "Claude here!", "this is Gemini speaking"
        (rf"^[G,.Fu]{{0,3}}D?{_NAME}[,F]{{0,2}}H(?=$|[,.\-:SIPNGkF])", _sure),
        (rf"{_NOT_CLAIMED}D[F,]{{0,2}}{_NAME}", _this_is),
        # 私はGPT-4です
        (
            rf"{_NOT_CLAIMED}(?<![uA])[ZNy][F,]{{0,3}}[TFAaVv]{{0,6}}?u?[TFAaVv,]{{0,6}}?{_NAME}[FC\-]{{0,2}}A?K",
            _last,
        ),
        (rf"{_NOT_CLAIMED}Z[F\-]{{0,3}}{_NAME}(?=$|[,.\-])", _who),
        # "Ich wurde von OpenAI entwickelt", 我是由OpenAI开发的
        (
            (
                rf"{_NOT_CLAIMED}(?:[ZSQ][FTAau,]{{0,6}}|P[F,]{{0,3}})[Bb][FTABbau]{{0,4}}?{_NAME}"
                rf"[FsAL]{{0,3}}[Vv]{_AFTER_MADE}"
            ),
            _last,
        ),
        # मैं OpenAI द्वारा प्रशिक्षित
        (
            (
                rf"{_NOT_CLAIMED}[ZSQy][TFABauk,]{{0,12}}?{_NAME}[sF]{{0,2}}L[FTA]{{0,4}}[Vv]"
                rf"{_AFTER_MADE}"
            ),
            _last,
        ),
        # "OpenAI tarafindan gelistirildim", "… bir modelim"
        (rf"{_NAME}[sFA]{{0,2}}L?[FT]{{0,3}}X", _last),
        (rf"{_NAME}[sFA]{{0,2}}LF{{0,2}}[Vv][TFAau,]{{0,8}}[KS]", _last),
        # "ChatGPT vagyok"
        (rf"^[G,.F]{{0,3}}{_NAME}S(?=$|[,.])", _last),
    )
)


def patterns() -> list[re.Pattern[str]]:
    """All patterns, in no order that matters."""
    return [pattern for pattern, _ in _PATTERNS]


def reading(roles: str) -> Reading | None:
    """The first reading of a sentence in which its speaker names himself, or None."""
    found: list[Reading] = []
    for pattern, accept in _PATTERNS:
        for match in pattern.finditer(roles):
            strength = accept(roles, match)
            if strength is not None:
                found.append(Reading(match.start(), match.end("name"), strength))
                break
    return min(found, key=lambda one: (one.end, one.start), default=None)
