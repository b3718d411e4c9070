"""Where the models run: device, number format, threads and memory.

It knows the machine, not the models.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch

_CPU_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
"""In /proc/cpuinfo: of x86 processors, and of ARM ones."""
_CUDA_SHARE, _HOST_SHARE = 0.9, 0.5
_CACHE_SHARE = 0.4
_HOST_CACHE = int(0.75 * 2**30)
_CGROUP_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


def pick_device(name: str) -> tuple[torch.device, str]:
    """The device and, in words, why it. `auto` is CUDA if there is one, else MPS where it computes,
    else the CPU. Raises ValueError, in one line, for a device that is not here."""
    if name == "auto":
        if torch.cuda.is_available():
            return _named("cuda")
        problem = _mps_problem()
        if not problem:
            return _named("mps")
        return torch.device("cpu"), f"the CPU, since there is no CUDA device and {problem}"
    return _named(name)


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the hardware computes in it, else float16 on an accelerator and
    float32 on a CPU."""
    if name != "auto":
        dtype: torch.dtype = getattr(torch, name)
        return dtype
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "mps":
        return torch.bfloat16 if _multiplies(device, torch.bfloat16) else torch.float16
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


def memory_limit(device: torch.device, gib: float | None) -> int:
    """Bytes for the weights and caches of all models that are awake; `gib` if it is given, else
    90 % of what is free on a CUDA device, or half of the host's memory."""
    if gib is not None:
        return int(gib * 2**30)
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free * _CUDA_SHARE)
    if device.type == "mps":
        return min(int(host_memory() * _HOST_SHARE), torch.mps.recommended_max_memory())
    return int(host_memory() * _HOST_SHARE)


def cache_limit(device: torch.device, gib: float | None, limit: int) -> int:
    """Bytes of `limit` that may be key-value caches; `gib` if it is given, else 40 % of it, and on
    a CPU not above 0.75 GiB, since more requests than that holds are too slow to be of use."""
    if gib is not None:
        return int(gib * 2**30)
    share = int(limit * _CACHE_SHARE)
    return min(share, _HOST_CACHE) if device.type == "cpu" else share


def host_memory(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes of memory that this process may use: the machine's, or less if its cgroup has less."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in _CGROUP_LIMITS:
        try:
            text = (root / name).read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) > 0:  # "max" is none
            sizes.append(int(text))
    return min(sizes)


def _named(name: str) -> tuple[torch.device, str]:
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"{name}: unknown; use auto, cpu, cuda, cuda:N or mps") from error
    if device.type == "cpu":
        return torch.device("cpu"), "the CPU"
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise ValueError(f"{name}: this machine has {count} CUDA devices")
        return device, f"{name} ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        if problem := _mps_problem():
            raise ValueError(f"{name}: {problem}")
        return device, "the Apple GPU (mps)"
    raise ValueError(f"{name}: not supported; use auto, cpu, cuda, cuda:N or mps")


def _mps_problem() -> str:
    """Why the Apple GPU cannot be used; empty when it can."""
    if not torch.backends.mps.is_available():
        return "no Apple GPU that this torch can use"
    device = torch.device("mps")
    if _multiplies(device, torch.bfloat16) or _multiplies(device, torch.float16):
        return ""
    return "the Apple GPU multiplies neither bfloat16 nor float16"


def _multiplies(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether a product in `dtype` comes out right: older systems refuse it or return zeros."""
    try:
        ones = torch.ones((4, 4), dtype=dtype, device=device)
        return bool((ones @ ones == 4).all().item())
    except (RuntimeError, TypeError):
        return False


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
