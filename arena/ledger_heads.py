"""Signed heads of the vote ledger: who keeps one can prove later that the past was changed.

A head names the newest entry and its hash; the installation signs it with its Ed25519 key
(RFC 8032), which lies outside the database. Heads are published by the API, in snapshots and in
exports, and appended to a file outside the database. See docs/ledger.md for the exact bytes.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.utils import timezone

from arena.ledger import GENESIS_HASH, canonical_json, ledger_head

CONTEXT = b"preferendum ledger head 1\n"
_FIELDS = {"sequence": int, "hash": str, "signed_at": str, "key": str, "signature": str}


class HeadError(Exception):
    """A head that cannot be read, or whose signature is not good; one line that says which."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """`hash` in hex; `signed_at` ISO 8601, UTC, to the second; `key` the raw public key in hex;
    `signature` in hex, over CONTEXT and the canonical JSON of the other four.
    """

    sequence: int
    hash: str
    signed_at: str
    key: str
    signature: str

    @classmethod
    def nothing(cls) -> SignedHead:
        """The head of an empty ledger, which nobody needs to sign."""
        return cls(0, GENESIS_HASH, "", "", "")

    def message(self) -> bytes:
        """What is signed."""
        fields = {name: value for name, value in asdict(self).items() if name != "signature"}
        return CONTEXT + canonical_json(fields).encode()


def head_sign(*, sequence: int, hash_: str) -> SignedHead:
    """Sign that the ledger's entry `sequence` has this hash."""
    now = timezone.now().replace(microsecond=0)
    head = SignedHead(
        sequence=sequence,
        hash=hash_,
        signed_at=now.isoformat().replace("+00:00", "Z"),
        key=settings.LEDGER_SIGNING_KEY.public_key().public_bytes_raw().hex(),
        signature="",
    )
    signature = settings.LEDGER_SIGNING_KEY.sign(head.message()).hex()
    return SignedHead(head.sequence, head.hash, head.signed_at, head.key, signature)


def head_signed_now() -> SignedHead:
    """The ledger's newest head, signed."""
    head = ledger_head()
    return head_sign(sequence=head["sequence"], hash_=head["hash"])


def head_publish() -> SignedHead:
    """Sign the newest head and append it to the file outside the database, unless it stands there.

    One writer at a time; what is written is on the disk before this returns.
    """
    path: Path = settings.LEDGER_HEADS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Read under the lock: of two writers, the second signs what is newest then.
        head = head_signed_now()
        last, whole = _last_line(file.read())
        if last is not None and (last.sequence, last.hash) == (head.sequence, head.hash):
            return last
        line = canonical_json(asdict(head)).encode() + b"\n"
        file.write(line if whole else b"\n" + line)
        file.flush()
        os.fsync(file.fileno())
    return head


def _last_line(content: bytes) -> tuple[SignedHead | None, bool]:
    """The newest head in the file, and whether its last line was written to its end."""
    lines = content.splitlines()
    whole = not content or content.endswith(b"\n")
    for line in reversed(lines):
        if line.strip():
            try:
                return head_parse(json.loads(line)), whole
            except (HeadError, ValueError):
                return None, whole  # Cut by a full disk; the verification names it.
    return None, whole


def head_parse(value: object) -> SignedHead:
    """Read a head from JSON, or from a leaderboard's that holds one; raises HeadError otherwise."""
    for wrapping in ("snapshot", "ledger_head"):
        if isinstance(value, Mapping) and isinstance(value.get(wrapping), Mapping):
            value = value[wrapping]
    if not isinstance(value, Mapping):
        raise HeadError("is no JSON object")
    for name, kind in _FIELDS.items():
        if not isinstance(value.get(name), kind) or isinstance(value.get(name), bool):
            raise HeadError(f"has no {name}" if name not in value else f"has a wrong {name}")
    return SignedHead(**{name: value[name] for name in _FIELDS})


def heads_read(path: Path) -> Iterator[SignedHead]:
    """Heads in a file: one JSON object, or one a line. Raises HeadError, naming the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise HeadError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise HeadError(f"{path} is no text") from error
    try:
        whole: Any = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if whole is not None:
        yield _parsed(whole, str(path))
        return
    if not text.strip():
        raise HeadError(f"{path} is empty")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"line {number} of {path}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise HeadError(f"{where} is no JSON") from error
        yield _parsed(value, where)


def _parsed(value: object, where: str) -> SignedHead:
    try:
        return head_parse(value)
    except HeadError as error:
        raise HeadError(f"{where} {error}") from error


def head_check_signature(head: SignedHead, *, key: Ed25519PublicKey | None = None) -> None:
    """Raises HeadError unless the head is signed by `key`, or else by a key of this installation.

    A head signed by another key proves nothing here: whoever rewrites a ledger can sign it anew.
    """
    trusted = [key] if key is not None else _own_keys()
    if head.key not in {known.public_bytes_raw().hex() for known in trusted}:
        whose = "the one given" if key is not None else "one of this installation, now or earlier"
        raise HeadError(
            f"the head of entry {head.sequence} is signed by the key {head.key[:16]}…, which is "
            f"not {whose}"
        )
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head.key))
        public.verify(bytes.fromhex(head.signature), head.message())
    except (InvalidSignature, ValueError) as error:
        raise HeadError(
            f"the signature of the head of entry {head.sequence} is not good"
        ) from error


def _own_keys() -> list[Ed25519PublicKey]:
    return [settings.LEDGER_SIGNING_KEY.public_key(), *settings.LEDGER_RETIRED_KEYS]
