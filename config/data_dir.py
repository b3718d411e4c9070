"""DATA_DIR: where one copy of Preferendum keeps its state, and the locks on it.

Knows nothing of what is kept there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


class DataDirError(RuntimeError):
    """DATA_DIR cannot be used as it is; the message is one line that says what to do."""


def data_dir_from(environ: Mapping[str, str]) -> Path:
    """The absolute DATA_DIR; a relative one is taken from the project's folder."""
    return (PROJECT / Path(environ.get("DATA_DIR") or "var").expanduser()).resolve()


def data_dir_ensure(path: Path) -> None:
    """Make `path` and the folders above it that are missing, each open to others for passing.

    PostgreSQL started by root runs as another user and must reach its folder below; what is secret
    in DATA_DIR carries its own mode.
    """
    try:
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
    except OSError as error:
        raise DataDirError(
            f"DATA_DIR {path} cannot be made ({error.strerror}: {error.filename}): "
            "set DATA_DIR to a folder that you may write to"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise DataDirError(f"DATA_DIR {path} is not writable: set DATA_DIR to a folder that is")


class FileLock:
    """An advisory lock (`flock`) on a file; it falls with its process, whatever ends that.

    The file stays, since removing a locked file would let two processes hold "the" lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def try_acquire(self, *, shared: bool = False) -> bool:
        """Take the lock if that needs no waiting, exclusively unless `shared`."""
        if self._descriptor is not None:
            raise RuntimeError(f"{self.path} is already locked by this object")
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise DataDirError(
                f"{self.path} belongs to another user: run as that user, or set another DATA_DIR"
            ) from error
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
