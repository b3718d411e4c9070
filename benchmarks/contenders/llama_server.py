"""llama.cpp's server as `xllamacpp` ships it, in a process: `… GGUF PORT THREADS SLOTS CONTEXT`."""

from __future__ import annotations

import signal
import sys

import xllamacpp


def main(gguf: str, port: int, threads: int, slots: int, context: int) -> None:
    """Serve until SIGTERM; `context` is tokens of prompt and answer in each of `slots`."""
    settings = xllamacpp.CommonParams()
    settings.model.path = gguf
    settings.port = port
    settings.n_parallel = slots
    settings.n_ctx = slots * context
    settings.cpuparams.n_threads = threads
    settings.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(settings)
    print(server.listening_address, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(sys.argv[1], *map(int, sys.argv[2:6]))
