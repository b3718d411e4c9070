"""A checkpoint folder loaded as a model, with the variants that a model file may ask for.

Only safetensors are read and no code of a checkpoint runs. It knows no batching and no requests.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from torch.overrides import TorchFunctionMode
from transformers import AutoModelForCausalLM, AutoTokenizer, modeling_utils
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from inference.server.device import pick_dtype
from inference.weights_spec import WeightsSpec

_LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.")
_FLOATS = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"}


class CheckpointError(ValueError):
    """A checkpoint that cannot be served; one line that names what is wrong with it."""


def load_model(folder: Path, spec: WeightsSpec, *, device: torch.device, dtype: str) -> Any:
    """The model of `folder` in evaluation mode on `device`.

    Safe beside running models: nothing that holds for the whole process is changed meanwhile.
    Raises CheckpointError for a checkpoint that is not whole, of an unknown kind or without a
    variant that the model file asks for, and OSError for a broken folder.
    """
    check_architecture(folder)
    chosen = pick_dtype(spec.dtype if dtype == "auto" else dtype, device)
    # Untyped in transformers: with the loading report it returns two.
    load: Any = AutoModelForCausalLM.from_pretrained
    model, found = load(
        folder,
        dtype=chosen,
        attn_implementation="sdpa",
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
    )
    missing = sorted(found["missing_keys"])
    if missing:
        # transformers would fill them with random numbers and only log it.
        raise CheckpointError(f"{folder}: {len(missing)} weights are missing, first {missing[0]}")
    if spec.drop_layers:
        _drop_layers(model, spec.drop_layers)
    if spec.round_bits is not None:
        _round_weights(model, spec.round_bits)
    return model.to(device).eval()


def check_architecture(folder: Path) -> None:
    """Raises CheckpointError unless transformers itself has the class of this text model."""
    try:
        config = json.loads((folder / "config.json").read_text())
        kind = str(config.get("model_type", ""))
    except (ValueError, AttributeError) as error:
        raise CheckpointError(f"{folder / 'config.json'}: is no JSON object") from error
    if kind in CONFIG_MAPPING and kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return
    if "auto_map" in config:
        raise CheckpointError(
            f"{folder}: model type {kind!r} needs the code that comes with the checkpoint "
            "(auto_map in config.json), which is never run here"
        )
    raise CheckpointError(
        f"{folder}: model type {kind!r} of config.json is no text model that transformers "
        f"{transformers.__version__} knows"
    )


def weight_bytes(folder: Path, spec: WeightsSpec, *, device: torch.device, dtype: str) -> int:
    """How many bytes the weights of `folder` take on `device`, from the headers of its files.

    Raises CheckpointError for a file that is cut short or is no safetensors file.
    """
    chosen = pick_dtype(spec.dtype if dtype == "auto" else dtype, device)
    size = torch.empty((), dtype=chosen).element_size()
    files = sorted(folder.glob("*.safetensors"))
    tensors = {name: (kind, shape) for file in files for name, kind, shape in _tensors(file)}
    if device.type == "cpu" and "lm_head.weight" not in tensors:
        # The head shares the embeddings' weight, and on a CPU gets a copy in the kernels' order.
        shared = [tensors[name] for name in tensors if name.endswith("embed_tokens.weight")]
        tensors |= zip(["lm_head.weight"], shared, strict=False)
    return sum(
        math.prod(shape) * (size if kind in _FLOATS else 8)
        for name, (kind, shape) in tensors.items()
        if not _dropped(name, spec.drop_layers)
    )


def fingerprint(folder: Path, spec: WeightsSpec, *, device: torch.device, dtype: str) -> str:
    """A short name of what is computed: other weights, formats or libraries have another one."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    told = [
        [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files],
        (spec.source, spec.drop_layers, spec.round_bits, device.type),
        str(pick_dtype(spec.dtype if dtype == "auto" else dtype, device)),
        (torch.__version__, transformers.__version__),
    ]
    return "fp_" + hashlib.sha256(repr(told).encode()).hexdigest()[:12]


def leave_files(model: Any) -> None:
    """Copy the weights that still lie in their files, which the loader maps into memory.

    A file that is written over would else change the answers of a running model, and one that is
    cut short would end the process.
    """
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.device.type == "cpu" and tensor.layout == torch.strided:  # packed ones are copies
            tensor.data = tensor.data.clone()


def held_bytes(model: Any) -> int:
    """How many bytes the parameters and buffers of a loaded model take, shared ones once."""
    held = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return sum(tensor.numel() * tensor.element_size() for tensor in held.values())


def _tensors(file: Path) -> Iterator[tuple[str, str, list[int]]]:
    """Name, number format and shape of every tensor."""
    try:
        with file.open("rb") as data:
            length = int.from_bytes(data.read(8), "little")
            # Larger headers do not exist; a wrong number must not fill the memory.
            header = json.loads(data.read(length)) if length < 2**27 else {}
        header.pop("__metadata__", None)
        end = max(entry["data_offsets"][1] for entry in header.values())
        tensors = [(name, entry["dtype"], entry["shape"]) for name, entry in header.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file}: is no safetensors file") from error
    if file.stat().st_size != 8 + length + end:
        raise CheckpointError(
            f"{file}: has {file.stat().st_size} bytes where its header says {8 + length + end}; "
            "it is cut short or damaged, fetch it again"
        )
    yield from tensors


def _dropped(name: str, layers: Iterable[int]) -> bool:
    found = _LAYER.search(name)
    return found is not None and int(found[1]) in set(layers)


class _DefaultDtype(TorchFunctionMode):
    """New tensors of this thread have `dtype` where nothing else was said.

    `torch.set_default_dtype` does it for all threads, and would reach into running batches.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        if func not in _CONSTRUCTORS or (kwargs or {}).get("dtype") is not None:
            return made
        if isinstance(made, torch.Tensor) and made.dtype == torch.get_default_dtype():
            return made.to(self.dtype)
        return made


_CONSTRUCTORS = frozenset(
    {
        torch.arange,
        torch.empty,
        torch.eye,
        torch.full,
        torch.linspace,
        torch.ones,
        torch.rand,
        torch.randn,
        torch.scalar_tensor,
        torch.tensor,
        torch.zeros,
    }
)


@contextmanager
def _default_dtype(dtype: torch.dtype, model_class_name: str | None = None) -> Iterator[None]:
    """In the place of transformers' `local_torch_dtype`, for this thread only."""
    if not dtype.is_floating_point:
        raise ValueError(f"{model_class_name or 'a model'} cannot be made of {dtype}")
    with _DefaultDtype(dtype):
        yield


if not hasattr(modeling_utils, "local_torch_dtype"):  # pragma: no cover - another release
    raise RuntimeError("this transformers sets the default dtype of new models in another way")
modeling_utils.local_torch_dtype = _default_dtype


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of `folder`."""
    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)


def eos_tokens(model: Any, tokenizer: Any) -> list[int]:
    """The ids that end an answer, from the generation configuration and the tokenizer."""
    configured = model.generation_config.eos_token_id
    ids = set(configured if isinstance(configured, list) else [configured])
    ids.add(tokenizer.eos_token_id)
    return sorted(number for number in ids if number is not None)


def _drop_layers(model: Any, dropped: tuple[int, ...]) -> None:
    layers = model.model.layers
    beyond = [number for number in dropped if number >= len(layers)]
    if beyond or len(dropped) >= len(layers):
        raise CheckpointError(
            f"drop_layers {sorted(dropped)}: the model has layers 0 to {len(layers) - 1}"
        )
    kept = [number for number in range(len(layers)) if number not in dropped]
    model.model.layers = torch.nn.ModuleList(layers[number] for number in kept)
    # The cache is indexed by the place of a layer, not by its former number.
    for place, layer in enumerate(model.model.layers):
        layer.self_attn.layer_idx = place
    model.config.num_hidden_layers = len(kept)
    types = getattr(model.config, "layer_types", None)
    if types:
        model.config.layer_types = [types[number] for number in kept]


@torch.no_grad()
def _round_weights(model: Any, bits: int) -> None:
    """Symmetric round-to-nearest with one scale per output channel, in place."""
    steps = 2 ** (bits - 1) - 1
    for module in model.model.layers.modules():
        if isinstance(module, torch.nn.Linear):
            exact = module.weight.float()
            scale = exact.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / steps
            module.weight.copy_((exact / scale).round().clamp(-steps, steps) * scale)
