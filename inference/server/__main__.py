"""`python -m inference.server`: the command line and the life of the process."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path

from inference.model_file import ModelFileError, read_model_file
from inference.server.weights import DEFAULT_CACHE

_DRAIN_SECONDS = 5


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inference.server",
        description="Serve the models of a model file over the OpenAI protocol.",
        epilog="It listens at once and loads in the background: GET /ready answers 200 when every "
        "model can answer. SIGTERM lets streams under way finish for up to "
        f"{_DRAIN_SECONDS} seconds. There is no authentication: listen on loopback, or put "
        "a proxy before it.",
    )
    add = parser.add_argument
    add("--models", type=Path, required=True, metavar="FILE.toml", help="the model file")
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add(
        "--port", type=int, default=8100, help="port to listen on, 0 for any (default: %(default)s)"
    )
    add(
        "--device",
        default="auto",
        help="auto (CUDA if there is one), cpu, cuda or cuda:N (default: %(default)s)",
    )
    add(
        "--dtype",
        default="auto",
        choices=("auto", "float32", "bfloat16", "float16"),
        help="number format for all models; auto: what the model file says, and there auto is "
        "bfloat16 where the device computes in it, else float32 (default: %(default)s)",
    )
    add(
        "--model-cache",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder of downloaded and converted weights "
        f"(default: the environment's MODEL_CACHE, else {DEFAULT_CACHE})",
    )
    add(
        "--kv-memory",
        type=float,
        default=None,
        metavar="GIB",
        help="key-value cache over all models (default: 0.75 on a CPU, 60 %% of the free memory "
        "of a CUDA device)",
    )
    add(
        "--max-running",
        type=int,
        default=16,
        metavar="N",
        help="requests in one model's batch (default: %(default)s)",
    )
    add(
        "--max-waiting",
        type=int,
        default=64,
        metavar="N",
        help="requests that may wait for one model; more get 429 (default: %(default)s)",
    )
    add(
        "--threads",
        type=int,
        default=None,
        metavar="N",
        help="threads of one computation on a CPU (default: the physical cores)",
    )
    return parser


def main() -> int:
    """Run until SIGTERM or SIGINT. The exit status is 0, or 2 for a mistake in the arguments."""
    parser = _parser()
    arguments = parser.parse_args()
    for name in ("max_running", "threads", "kv_memory"):
        value = getattr(arguments, name)
        if value is not None and value <= 0:
            parser.error(f"--{name.replace('_', '-')} must be above 0")
    if arguments.max_waiting < 1:
        parser.error("--max-waiting must be at least 1")
    try:
        models = read_model_file(arguments.models)
    except ModelFileError as error:
        parser.error(str(error))
    if not any(model.weights for model in models.models):
        parser.error(f"{arguments.models} has no model with [models.weights]: nothing to serve")

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

    # Uvicorn sends the signal again after it has drained, which must then be an ordinary end; and
    # one that comes before uvicorn listens ends the process at once.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    # These take seconds to import, so mistakes in the arguments are reported before.
    import torch
    import uvicorn

    from inference.server.app import make_app
    from inference.server.device import physical_cores, pick_device
    from inference.server.fleet import Fleet, FleetSettings
    from inference.server.telemetry import Telemetry

    try:
        device = pick_device(arguments.device)
    except ValueError as error:
        parser.error(str(error))
    torch.set_num_threads(arguments.threads or physical_cores())
    cache = arguments.model_cache or Path(os.environ.get("MODEL_CACHE") or DEFAULT_CACHE)
    settings = FleetSettings(
        cache=cache.expanduser().resolve(),
        device=device,
        dtype=arguments.dtype,
        kv_gib=arguments.kv_memory,
        max_running=arguments.max_running,
        max_waiting=arguments.max_waiting,
    )
    app = make_app(Fleet(models.models, settings, Telemetry()))
    uvicorn.run(
        app,
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        workers=1,  # else WEB_CONCURRENCY, which is meant for the web server, would apply
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
