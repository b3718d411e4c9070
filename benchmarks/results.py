"""Where the last run of a benchmark is kept: JSON in build/, a section in docs/benchmarks.md.

Knows no benchmark.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
KEPT = ROOT / "build" / "benchmarks"


def machine() -> str:
    """Processor, cores, memory and the versions that matter, in one line."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pyarrow"))
    return (
        f"{_processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB; "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {libraries}"
    )


def load() -> float:
    """Processes that wanted a core in the last minute, on average: above 0.5, timings are loose."""
    return os.getloadavg()[0]


def save(benchmark: str, results: object) -> Path:
    """Write `results` to build/benchmarks/BENCHMARK.json and say where."""
    path = KEPT / f"{benchmark}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1, allow_nan=False) + "\n")
    return path


def write_section(benchmark: str, text: str, page_path: Path | None = None) -> None:
    """Replace what stands between the marks of this benchmark on a page of the docs."""
    page_path = page_path or PAGE
    begin, end = f"<!-- {benchmark}: written by the run -->", f"<!-- end of {benchmark} -->"
    page = page_path.read_text()
    if begin not in page or end not in page:
        raise ValueError(
            f"{page_path.name} has no place for {benchmark}: put {begin} and {end} there"
        )
    section = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    page_path.write_text(section.sub(lambda _: f"{begin}\n\n{text.strip()}\n\n{end}", page))


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join(
        f"| {' | '.join(cell.strip() for cell in cells)} |" for cells in (header, rule, *rows)
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
