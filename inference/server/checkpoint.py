"""A checkpoint folder loaded as a model, with the variants that a model file may ask for.

Only safetensors are read and no code of a checkpoint runs. It knows no batching and no requests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from inference.model_file import WeightsSpec
from inference.server.device import pick_dtype


def load_model(folder: Path, spec: WeightsSpec, *, device: torch.device, dtype: str) -> Any:
    """The model of `folder` in evaluation mode on `device`.

    Not safe beside a running batch: transformers changes torch's default dtype while it loads.
    Raises ValueError for a variant that the checkpoint does not have, OSError for a broken folder.
    """
    chosen = pick_dtype(spec.dtype if dtype == "auto" else dtype, device)
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=chosen,
        attn_implementation="sdpa",
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    if spec.drop_layers:
        _drop_layers(model, spec.drop_layers)
    if spec.round_bits is not None:
        _round_weights(model, spec.round_bits)
    return model.to(device).eval()


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
        raise ValueError(
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
