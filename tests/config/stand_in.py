"""A supervisor over stand-in programs, as a process of its own that tests may signal or kill.

python -m tests.config.stand_in '{"data_dir": …, "database_url": …, "port": …, …}'
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from config import supervisor
from config.child import Program
from config.plan import Address, Plan

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"


def program(name: str, code: str, data_dir: str, stop_seconds: float = 5.0) -> Program:
    """Python code that gets `data_dir` as its argument, by which a test finds its process."""
    return Program(name, (sys.executable, "-c", code, data_dir), stop_seconds=stop_seconds)


def stand_in_plan(wishes: dict[str, str]) -> Plan:
    data_dir, port = wishes["data_dir"], wishes["port"]
    listen = (sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1")
    url = f"http://127.0.0.1:{port}/"
    return Plan(
        data_dir=Path(data_dir),
        database_url=wishes.get("database_url"),
        addresses=(Address("PORT", "127.0.0.1", int(port)),),
        beside_database=(program("inference", SLEEPER, data_dir),),
        steps=(program("migrate", wishes.get("step", "print('applied')"), data_dir),),
        services=(
            program("worker", wishes.get("worker", SLEEPER), data_dir, stop_seconds=0.5),
            Program("web", (*listen, "--directory", data_dir)),
        ),
        ready_url=url,
        public_url=url,
    )


if __name__ == "__main__":
    plan = stand_in_plan(json.loads(sys.argv[1]))
    sys.exit(supervisor.main(plan, restart_pause=0.05))
