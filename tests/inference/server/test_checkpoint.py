"""The variants that a model file may ask for are what it says they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inference.model_file import WeightsSpec
from inference.server.chat import ChatFormat
from inference.server.checkpoint import eos_tokens, load_model, load_tokenizer
from tests.inference.server.in_process import serving
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
