"""Who holds how much of the device: a limit for everything and, inside it, one for the caches.

It counts bytes by model. It knows neither models nor devices, and reserves nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What one model takes while it is awake, in bytes."""

    weights: int
    cache: int
    """Key-value cache: of the batch and of the isolated path together."""

    @property
    def total(self) -> int:
        return self.weights + self.cache


class DeviceMemory:
    """The book of what is held. Not safe for threads: it belongs to the event loop."""

    def __init__(self, *, limit: int, cache_limit: int) -> None:
        self.limit = limit
        """Bytes for the weights and caches of all models that are awake."""
        self.cache_limit = min(cache_limit, limit)
        """Bytes of it that may be caches."""
        self.held: dict[str, Footprint] = {}

    @property
    def used(self) -> int:
        """Bytes held now."""
        return sum(footprint.total for footprint in self.held.values())

    @property
    def cache_used(self) -> int:
        """Bytes of caches held now."""
        return sum(footprint.cache for footprint in self.held.values())

    def fits(self, wanted: Footprint, *, without: Iterable[str] = ()) -> bool:
        """Whether there is room for `wanted`, once the models `without` are gone."""
        gone = set(without)
        kept = [footprint for slug, footprint in self.held.items() if slug not in gone]
        total = sum(footprint.total for footprint in kept) + wanted.total
        cache = sum(footprint.cache for footprint in kept) + wanted.cache
        return total <= self.limit and cache <= self.cache_limit

    def why_never(self, wanted: Footprint) -> str:
        """Why `wanted` does not even fit alone, with the numbers and what to change; else empty."""
        if wanted.cache > self.cache_limit:
            return (
                f"wants {gib(wanted.cache)} of key-value cache, but --kv-memory allows "
                f"{gib(self.cache_limit)} for all models: raise it, or lower kv_gib of this model"
            )
        if wanted.total > self.limit:
            return (
                f"needs {gib(wanted.total)} ({gib(wanted.weights)} of weights and "
                f"{gib(wanted.cache)} of key-value cache), but --memory allows {gib(self.limit)}: "
                "raise it, or lower --kv-memory or kv_gib of this model"
            )
        return ""

    def hold(self, slug: str, footprint: Footprint) -> None:
        """Write down what `slug` holds now. Raises ValueError when it would be too much."""
        if not self.fits(footprint, without=(slug,)):
            raise ValueError(
                f"needs {gib(footprint.total)}, and {gib(self.limit - self.used)} is left"
            )
        self.held[slug] = footprint

    def release(self, slug: str) -> None:
        """`slug` holds nothing any more."""
        self.held.pop(slug, None)


def gib(size: int) -> str:
    """A number of bytes for people: `1.25 GiB`, or MiB below a tenth of one."""
    if size < 2**30 // 10:
        return f"{size / 2**20:.1f} MiB"
    return f"{size / 2**30:.2f} GiB"
