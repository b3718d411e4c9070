"""One contender at one task in a process of its own, on one BLAS thread: how long and how much.

`python -m benchmarks.race CONTENDER TASK FOLDER RUNS` is that process; `race` starts it. Knows
neither the tasks nor what was promised of them.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from benchmarks.contenders import Tasks

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)


@dataclass(frozen=True, slots=True)
class Result:
    """What one process measured, after a run on few votes that made the libraries resident.

    `first` and `seconds`: the warm-up and the others, wall time; `processor_seconds`: those of
    all threads, their median. `over_libraries` and `over_data`:
    bytes of peak memory above what was resident before and after the data was loaded.
    `column_bytes`: the data itself. `ratings`: in points, in the order of the names.
    """

    version: str
    first: float
    seconds: list[float]
    processor_seconds: float
    over_libraries: int
    over_data: int
    column_bytes: int
    ratings: list[float] | None

    @property
    def median(self) -> float:
        """Seconds, warm."""
        return statistics.median(self.seconds)


class DidNotFinishError(RuntimeError):
    """A contender failed; the message is the last line that it wrote."""


def race(python: Path, contender: str, task: str, folder: Path, *, runs: int) -> Result:
    """Run a contender (a module of `benchmarks.contenders`) with the interpreter `python`."""
    process = subprocess.run(
        [python, "-m", "benchmarks.race", contender, task, folder, str(runs)],
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        lines = process.stderr.strip().splitlines() or [f"exit status {process.returncode}"]
        raise DidNotFinishError(lines[-1])
    return Result(**json.loads(process.stdout))


def _measure(contender: str, task: str, folder: Path, runs: int) -> Result:
    module = import_module(f"benchmarks.contenders.{contender}")
    tasks: Tasks = module.WORK
    work = tasks[task]
    work.run(work.load(folder / "few").data)
    gc.collect()
    libraries = _bytes("VmRSS")
    loaded = work.load(folder)
    gc.collect()
    before = _bytes("VmRSS")
    _forget_peak()
    seconds, processor = [], []
    for _ in range(1 + runs):
        start, busy = time.perf_counter(), time.process_time()
        ratings = work.run(loaded.data)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
    peak = _bytes("VmHWM")
    return Result(
        version=module.VERSION,
        first=seconds[0],
        seconds=seconds[1:],
        processor_seconds=statistics.median(processor[1:]),
        over_libraries=peak - libraries,
        over_data=peak - before,
        column_bytes=loaded.column_bytes,
        ratings=None if ratings is None else [float(rating) for rating in ratings],
    )


def _bytes(field: str) -> int:
    """Memory of this process; ru_maxrss would still know what its parent took before exec."""
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.removesuffix("kB")) * 1024
    raise DidNotFinishError(f"this system does not tell {field}: run it on Linux")


def _forget_peak() -> None:
    """So that what loading took for a moment is not counted; where forbidden, it is."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    measured = _measure(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps(asdict(measured)))
