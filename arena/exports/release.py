"""Writes a release of votes: data, card and checksums, all of them or none.

Everything is written under a temporary name beside the target, read back, and only then renamed:
a failed export leaves nothing, and never replaces a good one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from django.utils import timezone

from arena.exports.shapes import SHAPES, Pseudonyms, Row
from arena.ledger_heads import head_signed_now
from arena.selectors import votes_with_conversations

CARD = """\
# Votes of a Preferendum arena

Human votes on pairs of answers by anonymous language models, in the `{shape}` shape, written on
{date}. {rows} votes that count, by {voters} voters. Votes that a rule or a person excluded are left
out.

- `{data}`: one JSON object a line.
- Prompts and answers are as they were, but for answers that moderators withheld, which are empty.
  Look before you publish them.
- `judge` is a pseudonym that holds within this release only; rows come in random order; `tstamp` is
  coarse, to the hour.
- `language`, `openai_moderation` and `toxic_chat_tag` were not measured.
- `SHA256SUMS` checks the files: `sha256sum -c SHA256SUMS`.
- `ledger_head.json` is the signed head of the vote ledger when this was written. Keep it: with it,
  anybody who is shown the ledger later can tell whether its past was changed.
"""


class ExportError(Exception):
    """Nothing was written; the message says why and what to do."""


def release_write(*, shape: str, folder: Path) -> Iterator[int]:
    """Write all counted votes into `folder`, which must not exist yet or be empty.

    Yields the number of rows written so far, as progress. Raises ExportError.
    """
    if shape not in SHAPES:
        raise ExportError(f"format {shape!r} is not one of {', '.join(SHAPES)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(f"{folder} exists already: name a folder that does not")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ExportError(f"cannot write beside {folder}: {error.strerror}") from error
    try:
        yield from _write(shape, folder, draft)
    except OSError as error:
        raise ExportError(f"writing {folder} failed: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(shape: str, folder: Path, draft: Path) -> Iterator[int]:
    data = draft / f"votes.{shape}.jsonl"
    rows, voters, digest = 0, set(), hashlib.sha256()
    with data.open("wb") as file:
        for row in _rows(shape):
            line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
            file.write(line)
            digest.update(line)
            rows += 1
            voters.add(row["judge"])
            yield rows
        os.fsync(file.fileno())
    _read_back(data, rows=rows, digest=digest.hexdigest())
    card = draft / "README.md"
    card.write_text(
        CARD.format(
            shape=shape, date=timezone.now().date(), rows=rows, voters=len(voters), data=data.name
        )
    )
    head = draft / "ledger_head.json"
    head.write_text(json.dumps(asdict(head_signed_now()), indent=2) + "\n")
    sums = "".join(f"{_sha256(path)}  {path.name}\n" for path in (data, card, head))
    (draft / "SHA256SUMS").write_text(sums)
    draft.chmod(0o755)
    if folder.exists():
        folder.rmdir()
    draft.rename(folder)
    parent = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _rows(shape: str) -> Iterator[Row]:
    pseudonyms = Pseudonyms()
    make = SHAPES[shape]
    # In the ledger's order, rows and entries could be laid side by side, and its entries would
    # then be known by voter.
    votes = votes_with_conversations().filter(exclusion="").order_by("?")
    for vote in votes.iterator(chunk_size=500):
        yield make(vote, pseudonyms)


def _read_back(data: Path, *, rows: int, digest: str) -> None:
    with data.open("rb") as file:
        found = sum(1 for line in file if json.loads(line))
    if found != rows or _sha256(data) != digest:
        raise ExportError(f"{data.name} reads back other than it was written: the disk is failing")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
