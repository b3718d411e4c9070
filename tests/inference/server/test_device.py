"""Device, number format and memory are what the operator says, or the best that is here."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inference.server import device
from inference.server.device import (
    cache_limit,
    host_memory,
    memory_limit,
    physical_cores,
    pick_device,
    pick_dtype,
)

CPU = torch.device("cpu")
GIB = 2**30


def test_without_an_accelerator_it_is_the_cpu_and_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    chosen, why = pick_device("auto")

    assert chosen == CPU
    assert "no CUDA device" in why
    assert "no Apple GPU" in why


def test_an_apple_gpu_is_used_only_where_it_multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)

    monkeypatch.setattr(device, "_multiplies", lambda *_: False)
    without = pick_device("auto")
    monkeypatch.setattr(device, "_multiplies", lambda _, dtype: dtype == torch.float16)
    used, _ = pick_device("auto")

    assert without[0] == CPU
    assert "multiplies neither" in without[1]
    assert used.type == "mps"
    assert pick_dtype("auto", used) == torch.float16


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "xpu", "meta", "", "cuda:x"])
def test_a_device_that_is_not_here_is_one_line(name: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at
        pick_device(name)

    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags : fpu avx512_bf16 sse", torch.bfloat16),
        ("flags : fpu amx_bf16", torch.bfloat16),
        ("Features : fp asimd bf16 i8mm", torch.bfloat16),
        ("flags : fpu avx2", torch.float32),
        ("", torch.float32),
    ],
)
def test_bfloat16_is_used_where_the_processor_computes_in_it(
    monkeypatch: pytest.MonkeyPatch, flags: str, expected: torch.dtype
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_: f"processor : 0\n{flags}\n")

    assert pick_dtype("auto", CPU) == expected
    assert pick_dtype("float16", CPU) == torch.float16


def test_memory_is_what_is_given_or_half_of_what_the_process_may_use(tmp_path: Path) -> None:
    whole = host_memory(tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    unlimited = host_memory(tmp_path)
    (tmp_path / "memory.max").write_text(f"{3 * GIB}\n")

    assert unlimited == whole > 0
    assert host_memory(tmp_path) == min(whole, 3 * GIB)
    assert memory_limit(CPU, 1.5) == 1.5 * GIB
    assert memory_limit(CPU, None) == host_memory() // 2


def test_caches_have_a_part_of_it() -> None:
    assert cache_limit(CPU, None, 100 * GIB) == 0.75 * GIB
    assert cache_limit(CPU, None, GIB) == int(0.4 * GIB)
    assert cache_limit(torch.device("cuda"), None, 100 * GIB) == 40 * GIB
    assert cache_limit(CPU, 2, GIB) == 2 * GIB


def test_there_is_a_core() -> None:
    assert physical_cores() >= 1
