"""What a prompt demands of the form of its answer. Knows nothing of subjects.

The kinds are those of J. Zhou et al., "Instruction-following evaluation for large language models"
(2023): counts, format, words to use or avoid, beginnings and endings, letter case.
"""

from __future__ import annotations

import re

from arena.tagging.vocabulary import anywhere, words

_NUMBER = (
    r"(?:\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|a hundred)"
)
_UNIT = (
    r"(?:words?|sentences?|paragraphs?|lines?|characters?|letters?|syllables?|bullets?"
    r"|bullet points?"
    r"|items?|steps?|stanzas?|verses?|points?|sections?|wörter|wörtern|sätze|sätzen|mots|phrases?"
    r"|palabras|frases|palavras|parole|frasi|слов|предложени\w*|woorden|słów)"
)
# One of these is a demand by itself.
_STRICT = {
    "count": words(
        rf"(?:in|exactly|at most|at least|no more than|not more than|fewer than|less than"
        rf"|under|within"
        rf"|up to|maximum of|minimum of|max|genau|höchstens|mindestens|exactement|exactamente"
        rf"|máximo|esattamente|ровно|не более) {_NUMBER}[ -](?:\w{{1,20}} ){{0,2}}{_UNIT}"
        rf"|{_NUMBER}-(?:word|sentence|paragraph|line)"
    ),
    "count, no blanks": anywhere(
        r"\d{1,4} ?(?:字以内|字以下|文字以内|文字以下|句话|个字|자 이내|글자)"
    ),
    "only": words(
        r"(?:answer|respond|reply|output|return|print)(?: me)? (?:only|just|nothing but"
        r"|exclusively)"
        r"|only (?:answer|respond|reply|output|return|print)|(?:with )?(?:just|only) (?:yes|no|the)"
        r"|yes or no only|nothing else|no (?:other text|explanations?|preamble|commentary)"
        r"|antworte nur|réponds? (?:uniquement|seulement)|responde (?:solo|sólo|apenas)"
    ),
    "words": words(
        r"(?:without|avoid|do not|don't|never|not) (?:using|use|include|including|contain|mention"
        r"|mentioning|say|saying|write|repeat)(?: of)?(?: \w{1,20}){0,3} (?:the )?(?:letters?"
        r"|words?"
        r"|phrase|names?|commas?|adjectives|adverbs|numbers|emojis?|bullet points|markdown)"
        r"|without the (?:letter|word)|must (?:not )?(?:include|contain|mention|use|start"
        r"|begin|end)"
        r"|ohne das wort|sans (?:utiliser|le mot)|sin (?:usar|la palabra)|sem usar|senza usare"
    ),
    "edges": words(
        r"(?:each|every|all|first|last)(?: \w{1,20})? (?:must |should |has to |have to )?"
        r"(?:starts?|begins?|ends?|starting|beginning|ending|rhymes?|rhyming)"
        r"|(?:start|begin|end|finish)(?: your| the| each| every)? (?:\w{1,20} )?(?:with the"
        r"|by saying"
        r"|with \")|acrostic"
    ),
    "case": words(
        r"(?:all|in) (?:all )?(?:caps|capitals|capital letters|lower ?case|upper ?case)"
        r"|kleinbuchstaben|großbuchstaben|majuscules|minuscules|mayúsculas|minúsculas"
    ),
}
# Of these it takes two: alone they are how people ask for anything.
_LOOSE = {
    "format": words(
        r"(?:as|in|into|using|use|output|return|format\w*)(?: \w{1,20}){0,3} (?:json|yaml|csv"
        r"|xml|html"
        r"|latex|markdown|tables?|bullet points?|bullets|numbered list|code block)"
        r"|als tabelle|en forma de tabla|sous forme de tableau|in formato \w+"
    ),
    "manner": words(
        r"(?:in a|use a|with a|keep (?:it|the)|using a) (?:\w{1,20} ){0,3}(?:tone|style|voice"
        r"|manner)"
        r"|for (?:a |an )?(?:\w{1,20} ){0,2}(?:audience|beginners|children|five[- ]year[- ]old)"
    ),
    "always": words(
        r"always|never|make sure|ensure|be sure to|strictly|follow (?:these|the) \w{1,20}"
    ),
    "do not": words(
        r"(?:do not|don't|avoid) \w{1,20}|must|without \w{1,20}ing|should not|shouldn't"
    ),
    "sections": words(r"(?:sections?|headings?|columns?|fields?|keys?):?(?: for| named| called)?"),
}
_LISTED = re.compile(r"\n[ \t]*(?:[0-9]{1,2}[.)]|[-*])[ \t]+\S")


def demands(text: str) -> tuple[int, int]:
    """How many kinds of strict and of loose demands `text`, in lower case, makes."""
    listed = len(_LISTED.findall("\n" + text)) >= 3
    strict = sum(bool(pattern.search(text)) for pattern in _STRICT.values())
    loose = sum(bool(pattern.search(text)) for pattern in _LOOSE.values())
    return strict, loose + listed
