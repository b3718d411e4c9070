"""A GGUF file turned into a folder of safetensors, configuration and tokenizer.

It knows no cache and no download. `from_pretrained(gguf_file=…)` is not used: it needs a further
package and leaves a model that `save_pretrained` refuses to write.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CONVERSION_VERSION = 1
"""Part of the name of every conversion: raise it and old ones are made again."""


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Write the dequantised model of `gguf` as bfloat16 safetensors into the existing `folder`.

    Raises ValueError for an architecture that `transformers` cannot read from GGUF, RuntimeError
    for tensors that do not fit.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    # Untyped in transformers.
    from_config: Any = AutoModelForCausalLM.from_config
    load: Any = load_gguf_checkpoint
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    config = AutoConfig.from_pretrained(**source)
    # Without storage: the weights are assigned below, so initialising 135 M numbers would be waste.
    with torch.device("meta"):
        model = from_config(config, dtype=torch.bfloat16)
    checkpoint: dict[str, Any] = load(
        str(gguf), return_tensors=True, model_to_load=model, torch_dtype=torch.bfloat16
    )
    missing, unexpected = model.load_state_dict(checkpoint["tensors"], strict=False, assign=True)
    model.tie_weights()
    tied = set(model.all_tied_weights_keys)
    if unexpected or set(missing) - tied:
        wrong = sorted({*unexpected, *(set(missing) - tied)})
        raise RuntimeError(f"{len(wrong)} tensors do not fit, the first is {wrong[0]}")
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**source).save_pretrained(folder)
