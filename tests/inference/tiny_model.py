"""A random Llama of 60,000 weights, a model file for it, and the real service around both.

It is made with numpy and needs no network; it says nonsense, but always the same nonsense for a
seed, in printable text, and never ends before its token limit. It imports no torch, so that a test
of the arena pays for it only in the service's own process.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

LAYERS, HIDDEN, INNER, HEADS, KV_HEADS = 3, 32, 64, 4, 2
CONTEXT = 8192
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_SPECIAL = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
_TEXT = "People vote on two answers, and the votes become ratings with honest intervals. "


def tiny_tokenizer() -> Tokenizer:
    """A byte-level tokenizer, so that any character can be split over several tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[AddedToken(text, special=True) for text in _SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([_TEXT], trainer)
    return tokenizer


def write_tiny_llama(folder: Path, *, seed: int) -> Path:
    """Write configuration, tokenizer and safetensors (float32) into `folder`; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file(tiny_weights(tokenizer, seed=seed), folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(tiny_config(tokenizer)))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "eos_token": "<|end|>",
                "clean_up_tokenization_spaces": False,
                "chat_template": CHAT_TEMPLATE,
            }
        )
    )
    return folder


def tiny_config(tokenizer: Tokenizer) -> dict[str, Any]:
    """The `config.json` of the tiny model."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "vocab_size": tokenizer.get_vocab_size(),
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "eos_token_id": tokenizer.token_to_id("<|end|>"),
        "dtype": "float32",
    }


def tiny_weights(tokenizer: Tokenizer, *, seed: int) -> dict[str, np.ndarray]:
    """Random weights by name; the output never prefers a special or an unprintable token."""
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int, scale: float = 0.3) -> np.ndarray:
        return (random.standard_normal((rows, columns)) * scale).astype(np.float32)

    vocabulary = tokenizer.get_vocab_size()
    weights = {
        "model.embed_tokens.weight": matrix(vocabulary, HIDDEN, 1.0),
        "model.norm.weight": np.ones(HIDDEN, dtype=np.float32),
        "lm_head.weight": matrix(vocabulary, HIDDEN, 1.0),
    }
    for token in range(vocabulary):
        text = tokenizer.decode([token])
        if not (text.isascii() and text.isprintable() and text.strip()):
            weights["lm_head.weight"][token] = 0
    shapes = {
        "self_attn.q_proj": (HIDDEN, HIDDEN),
        "self_attn.k_proj": (HIDDEN // HEADS * KV_HEADS, HIDDEN),
        "self_attn.v_proj": (HIDDEN // HEADS * KV_HEADS, HIDDEN),
        "self_attn.o_proj": (HIDDEN, HIDDEN),
        "mlp.gate_proj": (INNER, HIDDEN),
        "mlp.up_proj": (INNER, HIDDEN),
        "mlp.down_proj": (HIDDEN, INNER),
    }
    for layer in range(LAYERS):
        for name, shape in shapes.items():
            weights[f"model.layers.{layer}.{name}.weight"] = matrix(*shape)
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"model.layers.{layer}.{name}.weight"] = np.ones(HIDDEN, dtype=np.float32)
    return weights


def write_model_file(
    path: Path, folders: Mapping[str, Path], *, max_tokens: int = 24, extra: str = ""
) -> Path:
    """A model file that serves each folder under its slug, greedy by default; returns `path`.

    `extra` is added to the end of every `[models.weights]` table.
    """
    tables = ['[[organizations]]\nslug = "tiny"\nname = "Tiny"\n']
    tables += [
        f'[[models]]\nslug = "{slug}"\nname = "Tiny {slug}"\norganization = "tiny"\n'
        f'category = "chat"\nsampling = {{ temperature = 0, max_tokens = {max_tokens} }}\n'
        f'[models.weights]\nsource = "path:{folder}"\ndtype = "float32"\n{extra}\n'
        for slug, folder in folders.items()
    ]
    path.write_text("\n".join(tables))
    return path


@contextmanager
def inference_server_process(
    model_file: Path, *arguments: str, cache: Path
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`python -m inference.server` with every model loaded: the process and its base URL."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = [sys.executable, "-m", "inference.server", "--models", str(model_file)]
    command += ["--port", str(port), "--model-cache", str(cache), "--threads", "1"]
    command += ["--kv-memory", "0.05", *arguments]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    log = model_file.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(process, url, log)
        yield process, url
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_inference_server(model_file: Path, *arguments: str, cache: Path) -> Iterator[str]:
    """The base URL (without `/v1`) of a service that is ready; it is ended by its process id."""
    with inference_server_process(model_file, *arguments, cache=cache) as (_, url):
        yield url


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the service ended: {log.read_text()}")
        try:
            if httpx.get(f"{url}/ready", timeout=5).status_code == 200:
                return
        except httpx.ConnectError:
            pass  # it does not listen yet
        time.sleep(0.05)
    raise RuntimeError(f"the service did not become ready: {log.read_text()}")
