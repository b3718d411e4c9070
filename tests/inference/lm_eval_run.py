"""`python lm_eval_run.py RUNS.json OUT.json`: lm_eval in a process of its own, offline.

RUNS.json is `{"tasks": folder, "names": […], "runs": {name: {"model", "model_args",
"batch_size"}}}`; OUT.json gets `{run: {task: {"metrics": {…}, "responses": […]}}}`, the responses
in the order of the documents. It knows lm_eval and nothing of this project.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(runs_file: str, out_file: str) -> None:
    from lm_eval import simple_evaluate  # type: ignore[import-untyped]
    from lm_eval.tasks import TaskManager  # type: ignore[import-untyped]

    wanted = json.loads(Path(runs_file).read_text())
    tasks = TaskManager(include_path=wanted["tasks"], include_defaults=False)
    found: dict[str, Any] = {}
    for name, run in wanted["runs"].items():
        results = simple_evaluate(
            **run, tasks=wanted["names"], task_manager=tasks, log_samples=True, bootstrap_iters=0
        )
        found[name] = {
            task: {
                "metrics": results["results"][task],
                "responses": [
                    sample["resps"]
                    for sample in sorted(samples, key=lambda sample: sample["doc_id"])
                ],
            }
            for task, samples in results["samples"].items()
        }
    Path(out_file).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
