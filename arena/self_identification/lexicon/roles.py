"""What a word does in a sentence where somebody may name himself: one letter each.

Knows no language. A sentence becomes a string of these letters, and `grammar` reads the string.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A word's part, as a letter of the grammar's alphabet (names and marks have their own)."""

    SELF = "S"  # I am, je suis, 我是: what follows says who
    PRONOUN = "Z"  # 私は, 저는, मैं: the same where the verb comes last
    CALLED = "N"  # my name is, je m'appelle
    PASSIVE = "P"  # I was, j'ai été: a participle follows
    WAS_MADE = "M"  # تم تطويري: I was developed, in one word; by whom follows
    MADE_ME = "X"  # gelistirildim: the participle and the person in one word
    RUNS_ON = "R"  # I run on, I am based on, I come from
    MAKER = "J"  # my creators, my developer
    AS = "Q"  # as, en tant que
    THIS_IS = "D"  # this is … (speaking), you are talking to
    HERE = "H"  # … here, … speaking, … at your service
    FIRST_PERSON = "I"  # any other word that only a speaker of himself uses
    ME = "Y"  # trained me
    ME_BEFORE = "y"  # m'a, mich, меня: me, where the verb may follow
    TRAINED = "V"  # trained, developed
    MADE = "v"  # made, built: said of much besides models
    BY = "B"  # by, from, 由
    AT = "b"  # at, within: a place, which makes a maker only after a verb
    BY_AFTER = "L"  # によって, द्वारा, 에서
    IS_LAST = "K"  # です, 입니다, हूँ
    NAMED = "C"  # called, named
    ARTIFICIAL = "A"  # assistant, language model, AI
    ARTICLE = "T"  # a, an, the
    FILLER = "F"  # words that may stand between
    QUALITY = "a"  # helpful, large: what is said of assistants
    ASSISTING = "k"  # help, answer questions: what assistants say they do
    GREETING = "G"  # hello, sure
    HYPOTHETICAL = "h"  # if, pretend, said: what follows is not claimed
    TALE = "t"  # once upon a time, whispered: the text tells a story
    CONTRARY = "x"  # born, butler, zodiac: a person, a story, the stars
