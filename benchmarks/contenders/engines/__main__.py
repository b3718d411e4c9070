"""The process of one engine: bursts in on standard input, times out on standard output.

Knows no engine by name.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks.burst import Prompt
from benchmarks.contenders.engines import Load


def main(name: str, folder: str, threads: str) -> None:
    # Libraries print what they like: what is ours goes to a copy of standard output.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(message: object) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    load: Load = import_module(f"benchmarks.contenders.engines.{name}").load
    engine = load(Path(folder), int(threads))
    tell({"version": engine.version})
    for line in sys.stdin:
        asked = json.loads(line)
        prompts = [Prompt(**prompt) for prompt in asked["prompts"]]
        tell([asdict(answer) for answer in engine.burst(prompts, asked["tokens"])])


if __name__ == "__main__":
    main(*sys.argv[1:])
    # Threads of an engine that have no end must not keep the process.
    os._exit(0)
