"""Where the models run: device, number format and threads.

It knows the machine, not the models.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch

_CPU_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def pick_device(name: str) -> torch.device:
    """`auto` is CUDA if there is one, else the CPU. Raises ValueError for a device not here."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"--device {name}: unknown; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"--device {name}: this machine has {torch.cuda.device_count()} CUDA devices"
        )
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"--device {name}: only cpu and cuda are supported")
    return device


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the hardware computes in it, else float32."""
    if name != "auto":
        dtype: torch.dtype = getattr(torch, name)
        return dtype
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if _CPU_BFLOAT16_FLAGS & _cpu_flags() else torch.float32


def physical_cores() -> int:
    """Cores this process may use, hyperthreads counted once; at least 1."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if allowed is None:
        return max(1, (os.cpu_count() or 1) // 2)
    siblings = Path("/sys/devices/system/cpu")
    cores = set()
    for cpu in allowed:
        try:
            cores.add((siblings / f"cpu{cpu}/topology/thread_siblings_list").read_text())
        except OSError:
            return max(1, len(allowed))
    return max(1, len(cores))


def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return set(value.split())
    return set()
