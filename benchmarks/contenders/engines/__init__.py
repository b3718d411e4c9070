"""Ways to compute answers in a process of its own: a module each, with `load`.

`python -m benchmarks.contenders.engines NAME FOLDER THREADS` is that process. It prints the
version when the model is loaded, and then answers every line of its input, a burst, with a line.
Knows neither how bursts are judged nor the parent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.burst import Answer, Prompt

# Answers prompts that come at once, with at most so many tokens each.
Burst = Callable[[Sequence[Prompt], int], list[Answer]]


class Engine(NamedTuple):
    """A loaded model: what it is, and how to use it."""

    version: str
    burst: Burst


# From a checkpoint folder and a number of threads.
Load = Callable[[Path, int], Engine]
