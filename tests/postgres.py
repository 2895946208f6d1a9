"""A PostgreSQL server of the tests' own: a throw-away cluster on a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
HOW = "apt-get install postgresql-15"


def available() -> bool:
    """Whether the server's programs are installed."""
    return (PROGRAMS / "initdb").exists()


@contextmanager
def server() -> Iterator[str]:
    """Start a cluster; yields the address of its `postgres` database without the name."""
    folder = Path(tempfile.mkdtemp(prefix="market-pg-"))
    # PostgreSQL refuses to run as root.
    become: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        become = ["runuser", "-u", "postgres", "--"]
    data = str(folder / "data")

    def run(program: str, *arguments: str) -> None:
        command = [*become, str(PROGRAMS / program), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    run("initdb", "-D", data, "-U", "market", "--auth=trust", "--locale=C.UTF-8", "-E", "UTF8")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    log = str(folder / "log")
    run("pg_ctl", "-D", data, "-w", "-l", log, "-o", f"{options} -c max_connections=200", "start")
    try:
        yield f"postgresql://market@/{{}}?host={folder}"
    finally:
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
