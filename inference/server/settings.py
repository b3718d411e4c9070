"""What the operator chose for one service: memory and batches of the models, limits of requests.

It knows no command line and no environment: `__main__` reads those.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """Limits of the HTTP side: `make_app(fleet, settings)`."""

    drain_seconds: float = 5.0
    """After SIGTERM, how long streams under way may go on."""
    request_seconds: float = 600.0
    """From a request's arrival to the end of its answer; then it ends with reason `length`."""
    max_tokens: int | None = None
    """The most tokens that one request may ask for; None: what the context holds."""
    admin_token: str = field(default="", repr=False)
    """Bearer token of `/admin/...` for callers that are not on loopback; empty: there is none."""


@dataclass(frozen=True, kw_only=True)
class FleetSettings:
    """Where the models run and how much of the device they may use together."""

    cache: Path
    """Folder of downloaded and converted weights."""
    device: torch.device
    dtype: str = "auto"
    """`auto`: what each model's weights say."""
    memory_gib: float | None = None
    """GiB for the weights and caches of all models that are awake; None: 90 % of what is free on
    CUDA at the start, half of the machine's memory (or of what its cgroup allows) elsewhere."""
    kv_gib: float | None = None
    """GiB of key-value cache over all models, part of `memory_gib`; None: 40 % of it, and on a CPU
    at most 0.75."""
    max_running: int = 16
    """Requests in one model's batch."""
    max_waiting: int = 64
    """Requests that may wait for one model."""
    wake_seconds: float = 60.0
    """How long a request waits for room on the device before it is told that there is none."""
    unload_seconds: float = 60.0
    """How long unloading waits for the requests under way before it ends them."""
