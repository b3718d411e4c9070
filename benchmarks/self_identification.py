"""How often the detector of self-identification is right, on the labelled answers.

The answers are those of tests/arena/self_identification/labelled_answers.txt. `--part tuning`
judges one part; `--write-docs` puts the tables into docs/self-identification.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from arena.self_identification import VERSION, Detector, Leak, ModelNames
from benchmarks import results

LABELLED = results.ROOT / "tests" / "arena" / "self_identification" / "labelled_answers.txt"
PAGE = results.ROOT / "docs" / "self-identification.md"
PARTS = ("tuning", "first held out", "held out")
REGISTRY_SIZE = 400
ANSWER_LENGTH = 8_000  # characters


@dataclass(frozen=True)
class LabelledAnswer:
    """An answer, its language, its kind, and whether its reader would say that it identifies."""

    part: str
    language: str
    identifies: bool
    kind: str
    text: str


@dataclass(frozen=True)
class Counts:
    """Answers by what was said of them and what is true."""

    found: int
    missed: int
    wrong: int
    passed: int

    @property
    def precision(self) -> float:
        """Share of the findings that are right; nan without any."""
        said = self.found + self.wrong
        return self.found / said if said else float("nan")

    @property
    def recall(self) -> float:
        """Share of the identifying answers that are found; nan without any."""
        true = self.found + self.missed
        return self.found / true if true else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = 2 * self.found + self.wrong + self.missed
        return 2 * self.found / both if both else float("nan")


def registry() -> list[ModelNames]:
    """The models of the labelled set that no vocabulary knows."""
    return [
        ModelNames(*(tuple(name.strip() for name in half.split(";")) for half in line.split("|")))
        for line in _section("registry")
    ]


def labelled_answers(part: str) -> list[LabelledAnswer]:
    """The answers of one part of the labelled set: one of `PARTS`, or "limits"."""
    rows = (line.split(maxsplit=3) for line in _section(part))
    return [
        LabelledAnswer(part, language, sign == "+", kind, text.replace("⏎", "\n"))
        for language, sign, kind, text in rows
    ]


def _section(name: str) -> list[str]:
    text = LABELLED.read_text(encoding="utf-8")
    return [line for line in text.split(f"\n[{name}]")[1].split("\n[")[0].split("\n")[1:] if line]


def counts(answers: Iterable[LabelledAnswer], leaks: Iterable[Leak | None]) -> Counts:
    """How the findings agree with the labels."""
    cells = [
        (answer.identifies, leak is not None) for answer, leak in zip(answers, leaks, strict=True)
    ]
    return Counts(
        cells.count((True, True)),
        cells.count((True, False)),
        cells.count((False, True)),
        cells.count((False, False)),
    )


def table(answers: Sequence[LabelledAnswer], leaks: Sequence[Leak | None]) -> str:
    """Precision, recall and F1 of all answers and of each language."""
    rows = [_row("all", answers, leaks)]
    for language in _by_size(answers, lambda answer: answer.language):
        chosen = [place for place, answer in enumerate(answers) if answer.language == language]
        rows.append(
            _row(language, [answers[place] for place in chosen], [leaks[place] for place in chosen])
        )
    header = ("language", "identify", "do not", "precision", "recall", "F1")
    return results.markdown_table(header, rows)


def _row(
    name: str, answers: Sequence[LabelledAnswer], leaks: Sequence[Leak | None]
) -> tuple[str, ...]:
    of = counts(answers, leaks)
    shares = (_share(value) for value in (of.precision, of.recall, of.f1))
    return (name, str(of.found + of.missed), str(of.wrong + of.passed), *shares)


def _share(value: float) -> str:
    return "-" if value != value else f"{value:.3f}"


def kinds_table(answers: Sequence[LabelledAnswer], leaks: Sequence[Leak | None]) -> str:
    """For each kind: how many answers, and how many were judged right."""
    rows = []
    for identifies in (True, False):
        chosen = [
            (answer, leak)
            for answer, leak in zip(answers, leaks, strict=True)
            if answer.identifies is identifies
        ]
        for kind in _by_size([answer for answer, _ in chosen], lambda answer: answer.kind):
            right = [(leak is not None) is identifies for one, leak in chosen if one.kind == kind]
            label = f"{kind} ({'identifies' if identifies else 'does not'})"
            rows.append((label, str(len(right)), str(sum(right))))
    return results.markdown_table(("kind", "answers", "judged right"), rows)


def _by_size(answers: Sequence[LabelledAnswer], key: Callable[[LabelledAnswer], str]) -> list[str]:
    names = [key(answer) for answer in answers]
    return sorted(set(names), key=lambda name: (-names.count(name), name))


def misses(answers: Sequence[LabelledAnswer], leaks: Sequence[Leak | None]) -> list[str]:
    """The answers judged wrong, one a line."""
    lines = []
    for answer, leak in zip(answers, leaks, strict=True):
        if (leak is not None) is not answer.identifies:
            text = answer.text.replace("\n", " ⏎ ")
            said = f"found “{leak.words}”" if leak else "not found"
            lines.append(f"{answer.language}, {answer.kind}, {said}: {text}")
    return lines


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "- none"


def milliseconds() -> tuple[float, float]:
    """Processor time to read 8,000 characters against 400 models.

    Of plain prose, and of a text that names models in the first person of every sentence without
    ever identifying.
    """
    names = [
        ModelNames((f"Model{number} 7B Chat", f"model{number}-7b-chat"), (f"Maker {number} Labs",))
        for number in range(REGISTRY_SIZE)
    ]
    detector = Detector(names)
    plain = "The committee met again on Tuesday, and it was not sure what to decide. "
    worst = "I am quite sure that Google and OpenAI compared my Claude with GPT-4 as well. "
    return _milliseconds(detector, plain), _milliseconds(detector, worst)


def _milliseconds(detector: Detector, sentence: str) -> float:
    text = (sentence * (ANSWER_LENGTH // len(sentence) + 1))[:ANSWER_LENGTH]
    assert detector.find(text) is None
    times = []
    for _ in range(20):
        begin = time.process_time()
        detector.find(text)
        times.append(time.process_time() - begin)
    return statistics.median(times) * 1_000


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.self_identification")
    parser.add_argument("--part", choices=PARTS, help="judge this part of the answers only")
    parser.add_argument(
        "--write-docs", action="store_true", help="put it into docs/self-identification.md"
    )
    options = parser.parse_args(arguments)
    if options.write_docs and options.part:
        parser.error("--write-docs keeps whole runs only: leave out --part")
    detector = Detector(registry())
    sections = []
    kept = {}
    for part in [options.part] if options.part else PARTS:
        answers = labelled_answers(part)
        leaks = [detector.find(answer.text) for answer in answers]
        of = counts(answers, leaks)
        kept[part] = {"precision": of.precision, "recall": of.recall, "f1": of.f1}
        wrong = _bullets(misses(answers, leaks))
        sections.append(
            f"### The {part} part\n\n{table(answers, leaks)}\n\n{kinds_table(answers, leaks)}\n\n"
            f"Judged wrong:\n\n{wrong}"
        )
    if not options.part:
        limits = labelled_answers("limits")
        known = misses(limits, [detector.find(answer.text) for answer in limits])
        sections.append(f"### Known limits\n\n{_bullets(known)}")
        plain, worst = milliseconds()
        sections.append(
            f"### Time\n\n{ANSWER_LENGTH:,} characters against {REGISTRY_SIZE} models take "
            f"{plain:.1f} ms of a processor where they are plain prose, and {worst:.1f} ms where "
            f"every sentence is in the first person and names models ({VERSION}; "
            f"{results.machine()})."
        )
    text = "\n\n".join(sections)
    print(text)
    print(f"kept in {results.save('self_identification', kept)}")
    if options.write_docs:
        results.write_section("self_identification", text, PAGE)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
