"""What one copy of Preferendum consists of: the table of its programs, with their addresses.

Reads the environment, starts nothing and knows nothing of how programs are kept alive.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.child import Program
from config.data_dir import PROJECT, data_dir_from
from config.postgres import EmbeddedPostgres
from inference.model_file import ModelFileError, read_model_file


class PlanError(RuntimeError):
    """Nothing can be started; the message is one line that says why and what to do."""


@dataclass(frozen=True)
class Address:
    """Where a child will listen, and the setting that says so."""

    setting: str
    host: str
    port: int

    def check_free(self) -> None:
        """Raises PlanError when a program that listens here would fail."""
        try:
            family, kind, _, _, where = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM
            )[0]
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
        except OSError as error:
            raise PlanError(
                f"{self.setting} {self.port} on {self.host} cannot be used ({error.strerror}): "
                f"stop what listens there, or set {self.setting} to another number"
            ) from error


@dataclass(frozen=True)
class Plan:
    """What one supervisor runs.

    `beside_database` starts together with the database, `steps` run to their end once it answers,
    `services` follow. Everything is stopped in the opposite order.
    """

    data_dir: Path
    database_url: str | None
    """Of an outside server; None for the embedded one."""
    addresses: tuple[Address, ...]
    beside_database: tuple[Program, ...]
    steps: tuple[Program, ...]
    services: tuple[Program, ...]
    ready_url: str
    """Answers 200 when a person can use `public_url`."""
    public_url: str


def product_plan(environ: Mapping[str, str]) -> Plan:
    """The table of children of Preferendum. Raises PlanError for a setting it cannot use."""
    data_dir = data_dir_from(environ)
    host = environ.get("HOST") or "127.0.0.1"
    web = Address("PORT", host, _port(environ, "PORT", 8000))
    inference = Address("INFERENCE_PORT", "127.0.0.1", _port(environ, "INFERENCE_PORT", 8100))
    if web.port == inference.port:
        raise PlanError(f"PORT and INFERENCE_PORT are both {web.port}: change one of them")
    models = PROJECT / (environ.get("MODELS_FILE") or "models/demo.toml")
    if not models.is_file():
        raise PlanError(f"MODELS_FILE {models} does not exist: name a file such as demo.toml")
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        if (url := environ.get(name)) and not url.startswith(("postgresql://", "postgres://")):
            raise PlanError(f"{name} is no address of PostgreSQL: it begins with postgresql://")
    serves = _has_weights(models)
    if environ.get("DATABASE_OWNER_URL") and not environ.get("DATABASE_URL"):
        raise PlanError("DATABASE_OWNER_URL is set without DATABASE_URL: set both or neither")
    embedded = EmbeddedPostgres(data_dir)
    service_url = environ.get("DATABASE_URL") or embedded.service_url
    owner_url = (
        environ.get("DATABASE_OWNER_URL") or environ.get("DATABASE_URL") or embedded.owner_url
    )

    common = {
        "DATA_DIR": str(data_dir),
        "HOST": host,
        "PORT": str(web.port),
        "INFERENCE_PORT": str(inference.port),
        "DATABASE_URL": service_url,
        "DATABASE_OWNER_URL": "",  # for the one step that needs it
    }
    python = sys.executable
    manage = (python, "manage.py")
    load = ("load_models", str(models))
    work = ("procrastinate", "worker", "--shutdown-graceful-timeout", "4")
    infer = ("inference.server", "--models", str(models), "--port", str(inference.port))
    serve = (
        *("uvicorn", "config.asgi:application", "--host", host, "--port", str(web.port)),
        *("--timeout-graceful-shutdown", "4", "--no-server-header"),
        # TRUSTED_PROXIES decides whose forwarded addresses count, and no address is logged.
        *(
            "--ws-max-size",
            "65536",
            "--no-proxy-headers",
            "--no-access-log",
            "--log-level",
            "warning",
        ),
    )

    local = f"http://{_reachable(host)}:{web.port}"
    return Plan(
        data_dir=data_dir,
        database_url=environ.get("DATABASE_URL") or None,
        addresses=(web, inference),
        beside_database=(Program("inference", (python, "-m", *infer), common),) if serves else (),
        steps=(
            Program(
                "migrate",
                (*manage, "migrate", "--no-input"),
                common | {"DATABASE_OWNER_URL": owner_url},
            ),
            Program("models", (*manage, *load), common),
            Program("static", (*manage, "collectstatic", "--no-input", "--verbosity", "0"), common),
        ),
        services=(
            Program("worker", (*manage, *work), common),
            Program("web", (python, "-m", *serve), common),
        ),
        ready_url=f"{local}/readyz",
        public_url=environ.get("PUBLIC_URL") or f"{local}/",
    )


def _has_weights(models: Path) -> bool:
    """Whether the own inference service has anything to serve."""
    try:
        return any(model.weights for model in read_model_file(models).models)
    except ModelFileError as error:
        raise PlanError(str(error)) from error


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise PlanError(f"{name} is {text!r}: give a port number from 1 to 65535")
    return int(text)


def _reachable(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host
