"""What kind of file it is: its first bytes say, not its name.

CSV and JSON lines (both also compressed by gzip or zstd), one JSON list, and Parquet. What the
columns mean is not known here.
"""

from __future__ import annotations

from pathlib import Path

from arena.vote_files.csv_rows import CsvSource
from arena.vote_files.errors import VoteFileError
from arena.vote_files.json_rows import JsonSource
from arena.vote_files.parquet_rows import ParquetSource
from arena.vote_files.sources import ByteStream, Source

_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def open_source(path: Path) -> Source:
    """Find out what kind of file it is, and its fields. Raises VoteFileError."""
    if str(path) == "-":
        raise VoteFileError(path, "is no file: votes are not read from standard input")
    if path.is_dir():
        raise VoteFileError(path, "is a folder: name a file of votes")
    if path.exists() and not path.is_file():
        raise VoteFileError(path, "is not a regular file: votes are read from files only")
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise VoteFileError(path, f"cannot be read: {error.strerror}") from error
    if not head:
        raise VoteFileError(path, "the file is empty")
    if head == b"PAR1":
        return ParquetSource(path)
    if path.suffix in (".parquet", ".pq"):
        raise VoteFileError(path, "is not a Parquet file, in spite of its name")
    if head.startswith(b"PK"):
        raise VoteFileError(path, "is a zip archive: unpack it first")
    compression = next(
        (name for magic, name in _COMPRESSIONS.items() if head.startswith(magic)), None
    )
    first = _first_character(path, compression)
    if first in (b"{", b"["):
        return JsonSource(path, compression, is_list=first == b"[")
    return CsvSource(path, compression)


def _first_character(path: Path, compression: str | None) -> bytes:
    try:
        stream = ByteStream(path, compression).file
        text: bytes = stream.read(4096)
    except OSError as error:
        raise VoteFileError(path, f"cannot be read: {error}") from error
    return text.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
