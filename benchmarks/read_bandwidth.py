"""How fast this machine reads memory: the limit of every engine that reads all weights a token.

`python -m benchmarks.read_bandwidth THREADS` prints bytes per second. Knows no model.
"""

from __future__ import annotations

import sys
import time

import torch

_NUMBERS, _TRIES = 1 << 27, 8


def read_bandwidth(threads: int) -> float:
    """The best of some sums over 512 MiB, which no cache holds, in bytes per second."""
    torch.set_num_threads(threads)
    numbers = torch.ones(_NUMBERS, dtype=torch.float32)
    fastest = float("inf")
    for _ in range(_TRIES):
        begun = time.perf_counter()
        numbers.sum()
        fastest = min(fastest, time.perf_counter() - begun)
    return numbers.nbytes / fastest


if __name__ == "__main__":
    print(read_bandwidth(int(sys.argv[1])))
