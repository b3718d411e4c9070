"""The secrets of an installation: made once, private, and replaced without losing the old."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from config.data_dir import DataDirError
from config.secrets import (
    secret_key,
    secret_key_fallbacks,
    secret_key_rotate,
    signing_key,
    signing_key_rotate,
    signing_keys_retired,
)


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"

    made = (secret_key(data_dir), signing_key(data_dir).private_bytes_raw())

    assert (secret_key(data_dir), signing_key(data_dir).private_bytes_raw()) == made
    assert len(made[0]) >= 50
    files = {path.name: path.stat().st_mode & 0o777 for path in data_dir.iterdir()}
    assert files == {"secret_key": 0o600, "signing_key.pem": 0o600}


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    assert secret_key(tmp_path / "one") != secret_key(tmp_path / "two")
    keys = [signing_key(tmp_path / name).private_bytes_raw() for name in ("one", "two")]
    assert keys[0] != keys[1]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; from config.secrets import secret_key, signing_key\n"
        "sys.stdin.read()\n"
        "data_dir = pathlib.Path(sys.argv[1])\n"
        "print(secret_key(data_dir), signing_key(data_dir).private_bytes_raw().hex())"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "data")]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)
    ]

    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    answers = set()
    for process in started:
        assert process.stdout is not None
        with process.stdout as output:
            answers.add(output.read())
        assert process.wait(30) == 0

    assert len(answers) == 1


def test_a_rotated_secret_key_still_reads_what_it_signed(tmp_path: Path) -> None:
    first = secret_key(tmp_path)
    secret_key_rotate(tmp_path)
    second = secret_key(tmp_path)

    secret_key_rotate(tmp_path)

    assert secret_key(tmp_path) not in {first, second}
    assert secret_key_fallbacks(tmp_path) == [second, first]
    assert (tmp_path / "secret_key_fallbacks").stat().st_mode & 0o777 == 0o600


def test_a_rotated_signing_key_still_verifies_what_it_signed(tmp_path: Path) -> None:
    signature = signing_key(tmp_path).sign(b"head")

    signing_key_rotate(tmp_path)

    (retired,) = signing_keys_retired(tmp_path)
    retired.verify(signature, b"head")
    with pytest.raises(InvalidSignature):
        signing_key(tmp_path).public_key().verify(signature, b"head")


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    secret_key(tmp_path)
    (tmp_path / "secret_key").chmod(0o644)

    with pytest.raises(DataDirError, match=r"open to others \(mode 644\): chmod 600"):
        secret_key(tmp_path)


def test_a_signing_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "signing_key.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    (tmp_path / "signing_key.pem").chmod(0o600)

    with pytest.raises(DataDirError, match="no Ed25519 key"):
        signing_key(tmp_path)


def test_an_operator_rotates_by_a_command(tmp_path: Path) -> None:
    before = secret_key(tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "config.secrets", "rotate-secret-key"],
        env={"DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "restart Preferendum" in done.stdout
    assert secret_key_fallbacks(tmp_path) == [before]
