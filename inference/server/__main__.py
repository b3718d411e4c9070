"""`python -m inference.server`: the command line and the environment.

It knows what an operator may choose; it knows neither HTTP nor models.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from inference.model_file import ModelFile, ModelFileError, read_model_file
from inference.server.settings import ServiceSettings
from inference.server.weights import DEFAULT_CACHE

logger = logging.getLogger(__name__)


def main() -> int:
    """Run until SIGTERM or SIGINT. The exit status is 0, or 2 for a mistake in the arguments, or 3
    for an address that cannot be listened on."""
    parser = _parser()
    arguments = parser.parse_args()
    models = _models(parser, arguments)
    service = ServiceSettings(
        drain_seconds=arguments.drain_seconds,
        request_seconds=arguments.request_seconds,
        max_tokens=arguments.max_tokens,
        admin_token=os.environ.get(arguments.admin_token_env, "").strip(),
    )
    _set_up_process()
    # One that comes before the server listens ends the process at once.
    for early in (signal.SIGTERM, signal.SIGINT):
        signal.signal(early, lambda *_: sys.exit(0))

    # These take seconds to import, so mistakes in the arguments are reported before.
    import torch

    from inference.server.app import make_app
    from inference.server.device import physical_cores, pick_device, pick_dtype
    from inference.server.drain import serve
    from inference.server.fleet import Fleet
    from inference.server.settings import FleetSettings
    from inference.server.telemetry import Telemetry

    try:
        device, why = pick_device(arguments.device)
    except ValueError as error:
        parser.error(f"--device {error}")
    torch.set_num_threads(arguments.threads or physical_cores())
    logger.info(
        "computing on %s in %s, %d threads; torch %s",
        why,
        str(pick_dtype(arguments.dtype, device)).removeprefix("torch."),
        torch.get_num_threads(),
        torch.__version__,
    )
    cache = arguments.model_cache or Path(os.environ.get("MODEL_CACHE") or DEFAULT_CACHE)
    settings = FleetSettings(
        cache=cache.expanduser().resolve(),
        device=device,
        dtype=arguments.dtype,
        memory_gib=arguments.memory,
        kv_gib=arguments.kv_memory,
        max_running=arguments.max_running,
        max_waiting=arguments.max_waiting,
        wake_seconds=arguments.wake_timeout,
        unload_seconds=arguments.unload_timeout,
    )
    fleet = Fleet(models.models, settings, Telemetry(), model_file=arguments.models.resolve())
    app = make_app(fleet, service)
    serve(app, host=arguments.host, port=arguments.port, settings=service)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inference.server",
        description="Serve the models of a model file over the OpenAI protocol.",
        epilog="It listens at once and loads in the background: GET /ready answers 200 when every "
        "model can answer. Models that do not fit on the device beside the others sleep until a "
        "request needs them. SIGTERM lets streams under way finish. Completions need no key: "
        "listen on loopback, or put a proxy before it. Environment: MODEL_CACHE, and the admin "
        "token (--admin-token-env).",
    )
    add = parser.add_argument
    add("--models", type=Path, required=True, metavar="FILE.toml", help="the model file")

    listen = parser.add_argument_group("listening")
    add = listen.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add(
        "--port",
        type=_whole(0, 65535),
        default=8100,
        help="port to listen on, 0 for any (default: %(default)s)",
    )
    add(
        "--admin-token-env",
        default="INFERENCE_ADMIN_TOKEN",
        metavar="NAME",
        help="NAME of the environment variable with the token that /admin/... asks of callers who "
        "are not on loopback; without one they are refused (default: %(default)s)",
    )
    add(
        "--drain-seconds",
        type=_decimal(0),
        default=5.0,
        metavar="S",
        help="after SIGTERM, streams may finish for so long (default: %(default)g)",
    )

    device = parser.add_argument_group("device and memory")
    add = device.add_argument
    add(
        "--device",
        default="auto",
        help="auto (CUDA, else Apple's MPS, else the CPU), cpu, cuda, cuda:N or mps "
        "(default: %(default)s)",
    )
    add(
        "--dtype",
        default="auto",
        choices=("auto", "float32", "bfloat16", "float16"),
        help="number format for all models; auto: what the model file says, and there auto is "
        "bfloat16 where the device computes in it, else float16, on a CPU float32 "
        "(default: %(default)s)",
    )
    add(
        "--threads",
        type=_whole(1),
        metavar="N",
        help="threads of one computation on a CPU (default: the physical cores)",
    )
    add(
        "--memory",
        type=_decimal(above=0),
        metavar="GIB",
        help="for weights and caches of all models that are awake (default: 90 %% of the free "
        "memory of a CUDA device, else half of the machine's or the cgroup's memory)",
    )
    add(
        "--kv-memory",
        type=_decimal(above=0),
        metavar="GIB",
        help="the part of it for key-value caches, shared evenly by the models that do not name "
        "their own kv_gib (default: 40 %% of --memory, on a CPU at most 0.75)",
    )
    add(
        "--model-cache",
        type=Path,
        metavar="DIR",
        help="folder of downloaded and converted weights "
        f"(default: the environment's MODEL_CACHE, else {DEFAULT_CACHE})",
    )

    limits = parser.add_argument_group("limits")
    add = limits.add_argument
    add(
        "--max-running",
        type=_whole(1),
        default=16,
        metavar="N",
        help="requests in one model's batch (default: %(default)s)",
    )
    add(
        "--max-waiting",
        type=_whole(1),
        default=64,
        metavar="N",
        help="requests that may wait for one model; more get 429 (default: %(default)s)",
    )
    add(
        "--max-tokens",
        type=_whole(1),
        metavar="N",
        help="the most tokens that one request may ask for (default: what the context holds)",
    )
    add(
        "--request-seconds",
        type=_decimal(above=0),
        default=600.0,
        metavar="S",
        help="the longest that one request may take; its answer then ends with what there is "
        "(default: %(default)g)",
    )
    add(
        "--wake-timeout",
        type=_decimal(above=0),
        default=60.0,
        metavar="S",
        help="how long a request for a sleeping model waits for room before it gets 503 "
        "(default: %(default)g)",
    )
    add(
        "--unload-timeout",
        type=_decimal(0),
        default=60.0,
        metavar="S",
        help="how long unloading waits for requests under way (default: %(default)g)",
    )
    return parser


def _models(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> ModelFile:
    """The model file; a mistake in it ends the process."""
    try:
        models = read_model_file(arguments.models)
    except ModelFileError as error:
        parser.error(str(error))
    if not any(model.weights and model.status != "retired" for model in models.models):
        parser.error(
            f"{arguments.models} has no model with [models.weights] that is not retired: nothing "
            "to serve"
        )
    cache: float = arguments.kv_memory or 0
    if arguments.memory is not None and cache > arguments.memory:
        parser.error("--kv-memory is a part of --memory and cannot be above it")
    return models


def _set_up_process() -> None:
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s inference %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
    )
    for chatty in ("httpx", "ContinuousBatchingLogger"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Progress bars are for terminals; the log has one line per slow step.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        value = int(text)
        if value < least or (most is not None and value > most):
            limits = f"at least {least}" if most is None else f"{least} to {most}"
            raise argparse.ArgumentTypeError(f"must be {limits}")
        return value

    return whole_number


def _decimal(least: float | None = None, *, above: float | None = None) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            raise argparse.ArgumentTypeError("must be a finite number")
        if least is not None and value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least:g}")
        if above is not None and value <= above:
            raise argparse.ArgumentTypeError(f"must be above {above:g}")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())
