"""What is timed, a module a contender: each has `VERSION`, and `WORK`, from the name of a task to
how its data is loaded and how it is done. Those of the inference service, `engines` and
`llama_server`, are programs instead.

A module imports only what its contender needs, so that the memory of the libraries is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Loaded:
    """Data in memory, and the bytes of the columns that the task reads of it."""

    data: Any
    column_bytes: int


@dataclass(frozen=True, slots=True)
class Work:
    """One task of one contender.

    `load` reads from the folder of the votes and is not timed. `run` is; it returns the ratings in
    points in the order of the models' names, any mean, or nothing where the task has none.
    """

    load: Callable[[Path], Loaded]
    run: Callable[[Any], NDArray[np.float64] | None]


Tasks = Mapping[str, Work]
