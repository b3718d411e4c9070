"""The two secrets of an installation, kept as files under DATA_DIR and never in the database.

`secret_key` is Django's SECRET_KEY (cookies, ballots, sessions); `signing_key` is the Ed25519 key
that signs ledger heads. Each is made at first use. Knows nothing of what they sign.

    python -m config.secrets rotate-secret-key | rotate-signing-key
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from config.data_dir import DataDirError, FileLock, data_dir_ensure, data_dir_from

_SECRET_KEY = "secret_key"  # noqa: S105 - a file name
_SECRET_KEY_FALLBACKS = "secret_key_fallbacks"  # noqa: S105 - a file name
_SIGNING_KEY = "signing_key.pem"
_RETIRED_KEYS = "retired_signing_keys"
_PUBLIC_PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def secret_key(data_dir: Path) -> str:
    """Django's SECRET_KEY of this installation, made at the first call."""
    return _read_or_make(data_dir / _SECRET_KEY, _new_secret_key).decode().strip()


def secret_key_fallbacks(data_dir: Path) -> list[str]:
    """Earlier SECRET_KEYs, newest first: what they signed stays valid until their line is cut."""
    path = data_dir / _SECRET_KEY_FALLBACKS
    return _read_private(path).decode().split() if path.exists() else []


def secret_key_rotate(data_dir: Path) -> None:
    """Make a new SECRET_KEY; the current one becomes the first fallback."""
    with _Rotation(data_dir):
        kept = [secret_key(data_dir), *secret_key_fallbacks(data_dir)]
        # Fallbacks first: between the two writes the current key stands twice, but is never lost.
        _replace(data_dir / _SECRET_KEY_FALLBACKS, "".join(f"{key}\n" for key in kept).encode())
        _replace(data_dir / _SECRET_KEY, _new_secret_key())


def signing_key(data_dir: Path) -> Ed25519PrivateKey:
    """The key that signs ledger heads, made at the first call."""
    path = data_dir / _SIGNING_KEY
    pem = _read_or_make(path, _new_signing_key)
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise DataDirError(f"{path} is no Ed25519 key: put the right one back, or move it away")
    return key


def signing_key_rotate(data_dir: Path) -> None:
    """Make a new signing key; the public half of the current one is kept to verify old heads."""
    with _Rotation(data_dir):
        public = signing_key(data_dir).public_key().public_bytes(*_PUBLIC_PEM)
        folder = data_dir / _RETIRED_KEYS
        folder.mkdir(exist_ok=True)
        _replace(folder / f"{hashlib.sha256(public).hexdigest()[:16]}.pem", public)
        _replace(data_dir / _SIGNING_KEY, _new_signing_key())


def signing_keys_retired(data_dir: Path) -> list[Ed25519PublicKey]:
    """Public halves of the signing keys that were rotated away, in no particular order."""
    keys = []
    for path in sorted((data_dir / _RETIRED_KEYS).glob("*.pem")):
        key = serialization.load_pem_public_key(path.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise DataDirError(f"{path} is no Ed25519 public key: move it away")
        keys.append(key)
    return keys


class _Rotation:
    """Lets one rotation at a time read the current secret and replace it."""

    def __init__(self, data_dir: Path) -> None:
        data_dir_ensure(data_dir)
        self._lock = FileLock(data_dir / "secrets.lock")

    def __enter__(self) -> None:
        if not self._lock.try_acquire():
            raise DataDirError(f"another rotation holds {self._lock.path}: try again")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _new_secret_key() -> bytes:
    return secrets.token_urlsafe(48).encode() + b"\n"


def _new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    if not path.exists():
        data_dir_ensure(path.parent)
        draft = _draft(path, make())
        try:
            # A link refuses an existing name and shows the whole content at once, so of two
            # processes that start together both read what the first one made.
            path.hardlink_to(draft)
        except FileExistsError:
            return _read_private(path)
        finally:
            draft.unlink()
    return _read_private(path)


def _read_private(path: Path) -> bytes:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise DataDirError(f"{path} is open to others (mode {mode:03o}): chmod 600 {path}")
    try:
        return path.read_bytes()
    except PermissionError as error:
        raise DataDirError(f"{path} belongs to another user: run as that user") from error


def _replace(path: Path, content: bytes) -> None:
    _draft(path, content).replace(path)


def _draft(path: Path, content: bytes) -> Path:
    """`content` under a temporary name beside `path`, readable by its owner only, on the disk."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.secrets", description=__doc__)
    parser.add_argument("action", choices=["rotate-secret-key", "rotate-signing-key"])
    action = parser.parse_args().action
    data_dir = data_dir_from(os.environ)
    rotate = secret_key_rotate if action == "rotate-secret-key" else signing_key_rotate
    try:
        rotate(data_dir)
    except DataDirError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{action}: done in {data_dir}; restart Preferendum to use it\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
