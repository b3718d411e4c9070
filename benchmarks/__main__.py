"""`make bench`: run every benchmark, or those named: `python -m benchmarks first_token`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

NOT_BENCHMARKS = {
    "__init__",
    "__main__",
    "burst",
    "contender_process",
    "fastchat_outliers",
    "integrity_voters",
    "onlooker",
    "product",
    "prompt_texts",
    "promises",
    "race",
    "read_bandwidth",
    "results",
    "serving_contenders",
    "serving_promises",
    "serving_tables",
    "sightings",
    "simulated_votes",
    "stamped_endpoint",
    "stored_votes",
    "stream_client",
    "two_models",
    "vote_data",
    "voiced_endpoint",
    "watched_server",
}


def main(names: list[str]) -> None:
    known = sorted({path.stem for path in Path(__file__).parent.glob("*.py")} - NOT_BENCHMARKS)
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    for name in names or known:
        print(f"== {name}", flush=True)
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
