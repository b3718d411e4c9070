"""Random checkpoints of several architectures, whose text is the numbers of their tokens.

The tokenizer writes token 17 as "017", so that a text says exactly which tokens were generated,
whether or not the architecture's class of tokenizer puts blanks between them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM

VOCABULARY = 128
END = 5
_SIZES: Mapping[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 12,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": END,
}
# What sets an architecture apart from Llama is turned on and smaller than the longest prompts.
ARCHITECTURES: Mapping[str, Mapping[str, Any]] = {
    "llama": {},
    "qwen2": {},  # biases of query, key and value
    "qwen3": {},  # norms of query and key
    "mistral": {"sliding_window": 40},
    "phi3": {"sliding_window": 100},  # fused projections
    "gemma3_text": {
        "sliding_window": 24,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "query_pre_attn_scalar": 12,
    },
    "olmo2": {},  # norms after the blocks
    "granite": {  # multipliers of its own
        "attention_multiplier": 0.2,
        "embedding_multiplier": 3.0,
        "residual_multiplier": 0.5,
        "logits_scaling": 2.0,
    },
}


def write_numbered_checkpoint(folder: Path, architecture: str, *, seed: int = 0) -> Path:
    """Write configuration, tokenizer and float32 safetensors into `folder`; returns it."""
    config = AutoConfig.for_model(architecture, **{**_SIZES, **ARCHITECTURES[architecture]})
    from_config: Any = AutoModelForCausalLM.from_config
    model: Any = from_config(config, dtype=torch.float32)
    _randomise(model, seed)
    model.save_pretrained(folder)
    words = {_word(token): token for token in range(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token=_word(0)))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(names | {"eos_token": _word(END)}))
    return folder


def _word(token: int) -> str:
    return f"{token:03}"


@torch.no_grad()
def _randomise(model: Any, seed: int) -> None:
    """Weights under which attention matters and two tokens are seldom nearly as likely."""
    random = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=random)
        if weight.dim() == 1:
            weight.add_(noise * 0.2)
        else:
            weight.copy_(noise * (1.0 if "embed" in name or "lm_head" in name else 0.25))
