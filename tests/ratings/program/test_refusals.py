"""What the program refuses, in one line and with exit status 2; and how it behaves as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from ratings.options import options_parsed
from tests.arena.vote_files.files import SHAPES, rows_counts, rows_plain, write_csv, write_jsonl
from tests.ratings.program.conftest import Run

ROOT = Path(__file__).resolve().parents[3]
OPTIONS_DOCUMENTED = re.findall(
    r"^\| `(--[a-z-]+)", (ROOT / "docs/rating-files.md").read_text(), re.M
)


def program(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ratings", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--method", "trueskill"),
        ("--ci", "hdi"),
        ("--both-bad", "half"),
        ("--rounds", "1"),
        ("--rounds", "many"),
        ("--rounds", "1000000000", "--ci", "bootstrap"),
        ("--rounds", "38", "--ci", "bootstrap"),
        ("--level", "0.999", "--ci", "bootstrap"),
        ("--seed", "-1"),
        ("--prior", "-0.1"),
        ("--prior", "nan"),
        ("--ridge", "inf"),
        ("--level", "95"),
        ("--level", "0"),
        ("--anchor", "alpha"),
        ("--anchor", "alpha="),
        ("--anchor", "=1000"),
        ("--anchor", "alpha=inf"),
        ("--anchor", "nobody=1000"),
        ("--cluster", "nowhere"),
        ("--cluster", "judge", "--cluster", "judge"),
        ("--cluster", "judge", "--cluster", "turn", "--cluster", "anony"),
        ("--cluster", "judge", "--cluster", "turn", "--ci", "bootstrap"),
        ("--cluster", "conversation_a"),
        ("--method", "elo", "--prior", "1"),
        ("--method", "elo", "--style"),
        ("--method", "elo", "--pointwise-ranks"),
        ("--ci", "none", "--pointwise-ranks"),
        ("--method", "win-rate", "--cluster", "judge"),
        ("--method", "win-rate", "--ci", "bootstrap"),
        ("--unknown",),
        ("another.csv",),
    ],
    ids=" ".join,
)
def test_options_that_cannot_be(run: Run, votes: Path, arguments: tuple[str, ...]) -> None:
    assert run.refused(votes, *arguments)


@pytest.mark.parametrize("option", ["--level", "--rounds", "--seed", "--prior", "--ridge"])
def test_what_is_no_number_is_said_in_words(run: Run, votes: Path, option: str) -> None:
    message = run.refused(votes, option, "many")

    assert re.match(rf"argument {option}: 'many' is not a (whole )?number; ", message)


def test_fewer_rounds_do_for_a_lower_level(run: Run, votes: Path) -> None:
    assert "give at least 199" in run.refused(
        votes, "--ci", "bootstrap", "--level", "0.99", "--rounds", "198"
    )
    assert run(votes, "--ci", "bootstrap", "--level", "0.9", "--rounds", "19")


def test_an_anchor_without_rating_says_why(run: Run, tmp_path: Path) -> None:
    rows = [row | {"winner": "model_a"} for row in rows_plain() if row["model_a"] == "alpha"]
    path = write_csv(tmp_path / "votes.csv", rows)

    message = run.refused(path, "--anchor", "alpha=1000")

    assert message == (
        f"{path}: anchor 'alpha' has no rating: has won every battle so far: no finite rating yet"
    )


@pytest.mark.parametrize("option", [("--cluster", "ties"), ("--style",), ("--method", "elo")])
def test_counts_are_no_single_votes(run: Run, tmp_path: Path, option: tuple[str, ...]) -> None:
    path = write_csv(tmp_path / "counts.csv", rows_counts())

    assert run.refused(path, *option).startswith(f"{path}: holds counts: ")


def test_a_file_that_cannot_be_read_is_named(run: Run, tmp_path: Path) -> None:
    rows = rows_plain()
    rows[6]["winner"] = "draw"
    path = write_jsonl(tmp_path / "votes.jsonl", rows)

    assert run.refused(path).startswith(f"{path}: row 7, column winner: 'draw' is not one of ")
    assert run.refused(tmp_path / "none.csv") == (
        f"{tmp_path / 'none.csv'}: cannot be read: No such file or directory"
    )


def test_counts_of_nothing(run: Run, tmp_path: Path) -> None:
    nothing = dict.fromkeys(("wins_a", "wins_b", "ties", "both_bad"), 0)
    path = write_csv(tmp_path / "counts.csv", [row | nothing for row in rows_counts()])

    assert run.refused(path) == f"{path}: there are no votes: all counts are 0"


def test_the_output_file_holds_what_would_be_printed(run: Run, votes: Path, tmp_path: Path) -> None:
    target = tmp_path / "ratings.json"
    target.write_text("old")
    printed = run(votes, "--json")

    assert run(votes, "--json", "--out", target) == ""

    assert target.read_text("utf-8") == printed
    assert sorted(os.listdir(tmp_path)) == ["ratings.json", "votes.jsonl"]


def test_nothing_is_written_when_the_input_is_bad(run: Run, tmp_path: Path) -> None:
    rows = rows_plain()
    rows[6]["winner"] = "draw"
    path = write_jsonl(tmp_path / "votes.jsonl", rows)
    target = tmp_path / "ratings.json"
    target.write_text("old")

    run.refused(path, "--out", target)
    run.refused(path, "--out", tmp_path / "new.json")

    assert target.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["ratings.json", "votes.jsonl"]


def test_where_output_cannot_go(run: Run, votes: Path, tmp_path: Path) -> None:
    before = votes.read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for target in (votes, tmp_path, tmp_path / "none" / "ratings.json", pipe):
        assert run.refused(votes, "--out", target).startswith(f"{target}: ")

    assert votes.read_bytes() == before
    assert pipe.is_fifo()


def test_options_have_the_documented_defaults() -> None:
    options = options_parsed(["votes.csv"])

    assert (options.method, options.ci, options.both_bad) == ("bradley-terry", "sandwich", "tie")
    assert (options.prior, options.ridge, options.level) == (0, 0, 0.95)
    assert (options.rounds, options.seed) == (1000, 0)


def test_help_tells_every_option_that_is_documented_and_no_other() -> None:
    done = program("--help")

    assert done.returncode == 0
    assert "example:\n  python -m ratings votes.parquet" in done.stdout
    told = re.findall(r"^  (--[a-z-]+)", done.stdout, re.M)
    assert sorted(told) == sorted(OPTIONS_DOCUMENTED)


def test_it_runs_without_django(votes: Path, tmp_path: Path) -> None:
    style = write_jsonl(tmp_path / "style.jsonl", SHAPES["55k"]())
    for arguments in ((votes, "--json", "--cluster", "judge"), (style, "--style")):
        script = (
            "import sys; from ratings.program import main; "
            f"status = main({[str(argument) for argument in arguments]}); "
            "loaded = [name for name in sys.modules if name.split('.')[0] in "
            "('django', 'rest_framework', 'channels', 'torch')]; "
            "sys.exit(status or ', '.join(loaded[:3]) or 0)"
        )

        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=False
        )

        assert done.returncode == 0, done.stderr


def test_the_exit_status_of_the_process(votes: Path, tmp_path: Path) -> None:
    good, bad = program(votes), program(tmp_path / "none.csv")

    assert (good.returncode, good.stderr) == (0, "")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """The object is longer than a pipe holds, so that writing it must fail."""
    rows = [
        {"model_a": f"m{n % 900:03}", "model_b": f"m{(n + 1 + n // 900) % 900:03}", "winner": "tie"}
        for n in range(2700)
    ]
    path = write_csv(tmp_path / "votes.csv", rows)
    with subprocess.Popen(
        [sys.executable, "-m", "ratings", str(path), "--json", "--ci", "none"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        complaint = process.stderr.read()

    assert complaint == b""
    assert process.returncode == 0


def test_too_little_memory_is_one_line(tmp_path: Path) -> None:
    """The replicates of so many rounds alone are twice what the process may still take."""
    names = [f"m{number}" for number in range(250)]
    rows = [{"model_a": a, "model_b": b, "winner": "tie"} for a, b in pairwise(names)]
    path = write_csv(tmp_path / "votes.csv", rows)
    script = (
        "import resource, sys; from ratings.program import main; "
        f"arguments = [{str(path)!r}, '--ci', 'bootstrap', '--rounds']; "
        f"main([*arguments, '39', '--out', {str(tmp_path / 'warm')!r}]); "
        "taken = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize(); "
        "resource.setrlimit(resource.RLIMIT_AS, (taken + 10**8, taken + 10**8)); "
        "sys.exit(main([*arguments, '100000']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("ratings: out of memory")
    assert "Traceback" not in done.stderr


def test_errors_stay_out_of_the_output_when_standard_error_is_closed(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m ratings "$1" --json 2>&-', sys.executable, tmp_path / "none"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")


def test_a_full_disk_is_one_line(votes: Path) -> None:
    command = [sys.executable, "-m", "ratings", str(votes)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 2
    assert done.stderr == "ratings: writing to standard output failed: No space left on device\n"


def test_ctrl_c_is_quiet(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text('{"left": "x", "right": "y", "winner": "tie"}\n' * 1_000_000)
    with subprocess.Popen(
        [sys.executable, "-m", "ratings", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        while not has_opened(process.pid, path):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        printed, complaint = process.communicate()

    assert (process.returncode, printed, complaint) == (130, b"", b"")


def has_opened(process: int, path: Path) -> bool:
    for link in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            if link.readlink() == path:
                return True
    return False
