"""`lm_eval` finds the same through our service as with the same weights in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.inference import lm_eval_run
from tests.inference.tiny_model import running_inference_server, write_model_file, write_tiny_llama

pytestmark = pytest.mark.weights

CHOICES = ["x", "T", " w", "1", " People vote on two answers", " naïve 漢字 🙂"]
QUESTIONS = [
    "Which answer is better?",
    "People vote on two answers, and the votes become ratings with honest intervals. So?",
    "é",
    "Two answers. " * 40,
    "Ratings with",
    "{ } \\ \" ' \t tabs and quotes",
    "The end",
    "honest intervals",
    "🙂 or 🙃?",
    "a",
]
TASKS = {
    "choices": """\
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: "{{right}}"
target_delimiter: ""
metric_list: [{metric: acc}, {metric: acc_norm}]
""",
    "answers": """\
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{choices[right]}}"
generation_kwargs: {until: ["e", "never said"], max_gen_toks: 24, do_sample: false, temperature: 0}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
""",
    "texts": """\
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{question}}"
metric_list: [{metric: word_perplexity}, {metric: byte_perplexity}]
""",
}
# The options of `local-completions` that change what is sent.
VARIANTS = {
    "ids, one by one": (True, 1, 1),
    "ids, 8 at once": (True, 8, 1),
    "texts, one by one": (False, 1, 1),
    "texts, 8 at once": (False, 8, 1),
    "ids, 4 requests of 8 at once": (True, 8, 4),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What lm_eval found, by run and task; the run `hf` is in its own process."""
    root = tmp_path_factory.mktemp("lm_eval")
    folder = write_tiny_llama(root / "tiny", seed=4)
    write_tasks(root / "tasks", own=first_words(folder))
    with running_inference_server(
        write_model_file(root / "models.toml", {"tiny": folder}), cache=root / "cache"
    ) as url:
        runs = {"hf": {"model": "hf", "model_args": hf_arguments(folder), "batch_size": 1}} | {
            name: {
                "model": "local-completions",
                "model_args": {
                    "model": "tiny",
                    "base_url": f"{url}/v1/completions",
                    "tokenizer": str(folder),
                    "tokenized_requests": tokenized,
                    "num_concurrent": concurrent,
                },
                "batch_size": batch_size,
            }
            for name, (tokenized, batch_size, concurrent) in VARIANTS.items()
        }
        yield lm_eval(root, {"tasks": str(root / "tasks"), "names": list(TASKS), "runs": runs})


def hf_arguments(folder: Path) -> dict[str, Any]:
    return {"pretrained": str(folder), "dtype": "float32", "device": "cpu"}


def first_words(folder: Path) -> list[str]:
    """How the model itself would begin to answer each question."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    questions = [tokenizer(question, return_tensors="pt").input_ids for question in QUESTIONS]
    return [tokenizer.decode(model(ids).logits[0, -1].argmax()) for ids in questions]


def write_tasks(folder: Path, *, own: list[str]) -> None:
    """Every second question has what the model itself would say among its choices."""
    folder.mkdir()
    documents = folder / "documents.jsonl"
    lines = [
        {
            "question": question,
            "choices": CHOICES + [own[place]] * (place % 2),
            "right": place % len(CHOICES),
        }
        for place, question in enumerate(QUESTIONS)
    ]
    documents.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name, task in TASKS.items():
        source = f"""\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{documents}"}}}}
test_split: test
"""
        (folder / f"{name}.yaml").write_text(source + task)


def lm_eval(root: Path, runs: dict[str, Any]) -> dict[str, Any]:
    runs_file, out = root / "runs.json", root / "out.json"
    runs_file.write_text(json.dumps(runs))
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(root / "hf")}
    done = subprocess.run(
        [sys.executable, lm_eval_run.__file__, str(runs_file), str(out)],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    results: dict[str, Any] = json.loads(out.read_text())
    return results


@pytest.mark.parametrize("variant", VARIANTS)
def test_log_likelihoods_are_those_of_the_model_in_process(
    found: dict[str, Any], variant: str
) -> None:
    ours, theirs = found[variant], found["hf"]

    pairs = [
        (mine, other)
        for task in ("choices", "texts")
        for mine, other in zip(
            flat(ours[task]["responses"]), flat(theirs[task]["responses"]), strict=True
        )
    ]
    assert len(pairs) > len(QUESTIONS) * len(CHOICES) * 2
    for mine, other in pairs:
        # Numbers are sums of log-likelihoods, booleans say whether the model would have said it.
        assert mine == pytest.approx(other, abs=1e-3)
    assert True in [mine for mine, _ in pairs]


@pytest.mark.parametrize("variant", VARIANTS)
def test_generated_answers_are_those_of_the_model_in_process(
    found: dict[str, Any], variant: str
) -> None:
    ours = flat(found[variant]["answers"]["responses"])

    assert ours == flat(found["hf"]["answers"]["responses"])
    assert len(set(map(len, ours))) > 1
    assert not any("e" in answer for answer in ours)


@pytest.mark.parametrize("variant", VARIANTS)
def test_accuracies_are_those_of_the_model_in_process(found: dict[str, Any], variant: str) -> None:
    for task in TASKS:
        ours, theirs = numbers(found[variant][task]), numbers(found["hf"][task])
        assert ours
        assert ours == pytest.approx(theirs, rel=1e-4)


def numbers(result: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in result["metrics"].items() if isinstance(value, float)}


def flat(nested: Any) -> list[Any]:
    if isinstance(nested, list):
        return [item for inner in nested for item in flat(inner)]
    return [nested]
