"""The variants that a model file may ask for are what it says they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, modeling_utils

from inference.server.chat import ChatFormat
from inference.server.checkpoint import (
    CheckpointError,
    eos_tokens,
    fingerprint,
    held_bytes,
    load_model,
    load_tokenizer,
    weight_bytes,
)
from inference.weights_spec import WeightsSpec
from tests.inference.server.in_process import serving
from tests.inference.server.numbered_checkpoint import ARCHITECTURES, write_numbered_checkpoint
from tests.inference.tiny_model import LAYERS, write_model_file

pytestmark = pytest.mark.weights

CPU = torch.device("cpu")
EXACT = WeightsSpec(source="path:unused", dtype="float32")


def test_rounded_weights_have_so_many_levels_per_channel(tiny_folders: dict[str, Path]) -> None:
    folder = tiny_folders["one"]
    exact = load_model(folder, EXACT, device=CPU, dtype="auto")

    rounded = load_model(folder, replace(EXACT, round_bits=3), device=CPU, dtype="auto")

    before = exact.model.layers[0].mlp.up_proj.weight
    after = rounded.model.layers[0].mlp.up_proj.weight
    assert all(len(row.unique()) <= 7 for row in after)
    step = before.abs().amax(dim=1, keepdim=True) / 3
    assert bool(((after - before).abs() <= step / 2 + 1e-6).all())
    assert torch.equal(rounded.lm_head.weight, exact.lm_head.weight)


def test_dropped_layers_are_gone_and_the_others_untouched(tiny_folders: dict[str, Path]) -> None:
    exact = load_model(tiny_folders["one"], EXACT, device=CPU, dtype="auto")

    fewer = load_model(
        tiny_folders["one"], replace(EXACT, drop_layers=(1,)), device=CPU, dtype="auto"
    )

    assert len(fewer.model.layers) == fewer.config.num_hidden_layers == LAYERS - 1
    last, same = fewer.model.layers[1].mlp.up_proj, exact.model.layers[2].mlp.up_proj
    assert torch.equal(last.weight, same.weight)


@pytest.mark.parametrize("dropped", [(3,), (0, 1, 2)])
def test_layers_that_are_not_there_are_an_error(
    tiny_folders: dict[str, Path], dropped: tuple[int, ...]
) -> None:
    spec = replace(EXACT, drop_layers=dropped)

    with pytest.raises(ValueError, match="layers 0 to 2"):
        load_model(tiny_folders["one"], spec, device=CPU, dtype="auto")


async def test_a_model_with_fewer_layers_is_served_as_generate_answers(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder, spec = tiny_folders["one"], replace(EXACT, drop_layers=(1,))
    model, tokenizer = load_model(folder, spec, device=CPU, dtype="auto"), load_tokenizer(folder)
    prompt = tokenizer("People vote", return_tensors="pt")
    output = model.generate(**prompt, do_sample=False, max_new_tokens=20, pad_token_id=0)
    model_file = write_model_file(tmp_path / "m.toml", {"m": folder}, extra="drop_layers = [1]")

    async with serving(model_file, tmp_path) as (_, client):
        body = {"model": "m", "prompt": "People vote", "max_tokens": 20}
        answer = await client.post("/v1/completions", json=body)

    generated = output[0, prompt["input_ids"].size(1) :]
    assert answer.json()["choices"][0]["text"] == tokenizer.decode(generated)


def test_the_end_of_an_answer_is_known_from_model_and_tokenizer(
    tiny_folders: dict[str, Path],
) -> None:
    model = load_model(tiny_folders["one"], EXACT, device=CPU, dtype="auto")
    model.generation_config.eos_token_id = [7, 8]

    assert eos_tokens(model, load_tokenizer(tiny_folders["one"])) == [0, 7, 8]


def test_a_pretrained_model_is_asked_in_question_and_answer_form(
    tiny_folders: dict[str, Path],
) -> None:
    tokenizer = load_tokenizer(tiny_folders["one"])
    plain = ChatFormat(tokenizer, "question-answer")

    tokens = plain.encode_chat(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Who?"},
            {"role": "assistant", "content": "You."},
            {"role": "user", "content": "Why?"},
        ]
    )

    expected = "Be brief.\n\nQuestion: Who?\nAnswer: You.\n\nQuestion: Why?\nAnswer:"
    assert plain.decode(tokens) == expected
    assert plain.stops == ("\nQuestion:", "\nAnswer:")
    assert ChatFormat(tokenizer).stops == ()


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_model_is_loaded_as_transformers_does_it_without_its_process_wide_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, architecture: str, dtype: str
) -> None:
    folder = write_numbered_checkpoint(tmp_path, architecture)
    with monkeypatch.context() as patched:
        patched.setattr(modeling_utils, "local_torch_dtype", process_wide_dtype)
        expected = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    spec = WeightsSpec(source="path:unused", dtype=dtype)
    set_default_dtype = torch.set_default_dtype
    calls: list[torch.dtype] = []
    monkeypatch.setattr(torch, "set_default_dtype", calls.append)

    model = load_model(folder, spec, device=CPU, dtype="auto")

    monkeypatch.setattr(torch, "set_default_dtype", set_default_dtype)
    assert calls == []
    found = dict([*model.named_parameters(), *model.named_buffers()])
    wanted = dict([*expected.named_parameters(), *expected.named_buffers()])
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name
    assert torch.zeros(1).dtype == torch.float32


@contextmanager
def process_wide_dtype(dtype: torch.dtype, _: str | None = None) -> Iterator[None]:
    """What transformers does itself."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def folder(tiny_folders: dict[str, Path], tmp_path: Path) -> Path:
    """A checkpoint folder that a test may damage."""
    return Path(shutil.copytree(tiny_folders["one"], tmp_path / "checkpoint"))


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_code_that_comes_with_a_checkpoint_is_never_run(folder: Path) -> None:
    (folder / "modeling_own.py").write_text("raise SystemExit('code of the checkpoint was run')")
    own = {"AutoConfig": "modeling_own.Config", "AutoModelForCausalLM": "modeling_own.Model"}
    edit_config(folder, auto_map=own)
    # transformers has a class for this type, so its own is used.
    load_model(folder, EXACT, device=CPU, dtype="auto")

    edit_config(folder, model_type="own")

    with pytest.raises(CheckpointError, match="needs the code that comes with the checkpoint"):
        load_model(folder, EXACT, device=CPU, dtype="auto")


@pytest.mark.parametrize("kind", ["vit", "nonsense", ""])
def test_a_checkpoint_that_is_no_text_model_is_named(folder: Path, kind: str) -> None:
    edit_config(folder, model_type=kind)

    with pytest.raises(CheckpointError, match="is no text model that transformers"):
        load_model(folder, EXACT, device=CPU, dtype="auto")


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00"])
def test_a_configuration_that_is_no_json_object_is_named(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)

    with pytest.raises(CheckpointError, match=r"config\.json: is no JSON object"):
        load_model(folder, EXACT, device=CPU, dtype="auto")


def test_a_checkpoint_that_lacks_weights_is_not_filled_up_with_random_ones(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, path, {"format": "pt"})

    with pytest.raises(CheckpointError, match=r"1 weights are missing, first model\.layers\.1"):
        load_model(folder, EXACT, device=CPU, dtype="auto")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-100], "cut short or damaged"),
        (lambda data: data[:5], "no safetensors file"),
        (lambda _: b"\xff" * 100, "no safetensors file"),
        (lambda _: b"", "no safetensors file"),
        (lambda data: data[:8] + b"[" + data[9:], "no safetensors file"),
    ],
)
def test_a_damaged_file_is_named_before_it_is_loaded(
    folder: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(CheckpointError, match=message):
        weight_bytes(folder, EXACT, device=CPU, dtype="auto")


@pytest.mark.parametrize("dropped", [(), (1,)])
def test_the_size_of_the_weights_is_known_before_they_are_loaded(
    folder: Path, dropped: tuple[int, ...]
) -> None:
    spec = replace(EXACT, dtype="bfloat16", drop_layers=dropped)

    size = weight_bytes(folder, spec, device=CPU, dtype="auto")

    held = held_bytes(load_model(folder, spec, device=CPU, dtype="auto"))
    assert size == pytest.approx(held, rel=0.01)


def test_another_fingerprint_is_another_computation(folder: Path) -> None:
    def name(spec: WeightsSpec) -> str:
        return fingerprint(folder, spec, device=CPU, dtype="auto")

    first = name(EXACT)
    assert name(EXACT) == first
    others = {name(replace(EXACT, dtype="bfloat16")), name(replace(EXACT, round_bits=4))}
    (folder / "model.safetensors").touch()

    assert len({first, name(EXACT), *others}) == 4
