"""A random Llama of 60,000 weights as a GGUF file, and llama.cpp's own server around any file.

The weights and the tokenizer are those of `tiny_model`, so that both servers can be asked the same.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gguf
import httpx
import numpy as np

from tests.inference import tiny_model
from tests.inference.tiny_model import CHAT_TEMPLATE, HEADS, HIDDEN, INNER, KV_HEADS, LAYERS

_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_tiny_gguf(path: Path, *, seed: int = 0) -> Path:
    """Write the tiny Llama in float32 with its tokenizer and chat template; returns `path`."""
    tokenizer = tiny_model.tiny_tokenizer()
    described = json.loads(tokenizer.to_str())
    special = {token["content"] for token in described["added_tokens"]}
    vocabulary = tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(tiny_model.CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    kinds = gguf.TokenType
    writer.add_token_types([kinds.CONTROL if text in special else kinds.NORMAL for text in tokens])
    writer.add_token_merges([" ".join(pair) for pair in described["model"]["merges"]])
    writer.add_eos_token_id(vocabulary["<|end|>"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)
    for name, weight in tiny_model.tiny_weights(tokenizer, seed=seed).items():
        writer.add_tensor(*_as_gguf(name, weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _as_gguf(name: str, weight: np.ndarray) -> tuple[str, np.ndarray]:
    part = name.removesuffix(".weight")
    if not part.startswith("model.layers."):
        return f"{_NAMES[part]}.weight", weight
    layer, _, kind = part.removeprefix("model.layers.").partition(".")
    heads = {"self_attn.q_proj": HEADS, "self_attn.k_proj": KV_HEADS}.get(kind)
    if heads:
        # llama.cpp rotates neighbours, transformers the two halves of a head.
        rows, columns = weight.shape
        halves = weight.reshape(heads, 2, rows // heads // 2, columns)
        weight = np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))
    return f"blk.{layer}.{_NAMES[kind]}.weight", weight


@contextmanager
def llama_server(model: Path, *, slots: int, context: int, log: Path) -> Iterator[str]:
    """The base URL (without `/v1`) of a server of llama.cpp, ended by its process id.

    `context` is tokens of prompt and answer in each of `slots`.
    """
    command = [sys.executable, "-m", __name__, str(model), str(slots), str(context)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().decode().strip()
        if not address:
            raise RuntimeError(f"llama.cpp did not start: {log.read_text()[-2000:]}")
        _wait_until_healthy(address, log)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _wait_until_healthy(address: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if httpx.get(f"{address}/health", timeout=5).status_code == httpx.codes.OK:
            return
        time.sleep(0.05)
    raise RuntimeError(f"llama.cpp did not become healthy: {log.read_text()[-2000:]}")


def _serve(model: str, slots: int, context: int) -> None:
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = model
    settings.n_parallel = slots
    settings.n_ctx = slots * context
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.endpoint_slots = settings.endpoint_metrics = True
    settings.ctx_shift = True  # without a limit of tokens an answer has no end
    settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    settings.port = 0
    server = xllamacpp.Server(settings)
    print(server.listening_address, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    # The server's threads have no end of their own that could be waited for.
    os._exit(0)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
