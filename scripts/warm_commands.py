"""`casebridge` without its start: one process imports the service and forks for every command of a shell.

Used by scripts/replay_guide.py, so that a guide of a dozen commands costs one import. Each command is a process of its
own, in the caller's folder, with the caller's environment and outputs: what runs is what an operator runs.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

CLIENT = """#!{python} -SE
import json, os, socket, sys
asking = socket.socket(socket.AF_UNIX)
asking.connect({path!r})
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(asking, [said], [0, 1, 2])
sys.exit(int(asking.recv(9)))
"""
MOST = 262_144


def install(home: Path) -> Path:
    """A folder for PATH whose `casebridge` asks the process that `main` is."""
    folder = home / ".warm"
    folder.mkdir()
    client = folder / "casebridge"
    client.write_text(CLIENT.format(python=sys.executable, path=str(folder / "socket")), encoding="utf-8")
    client.chmod(0o755)
    return folder


def main() -> None:
    """Serve commands on the socket of the folder given, until ended."""
    from service.__main__ import app

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(Path(sys.argv[1]) / "socket"))
        door.listen()
        print("warm", flush=True)
        while True:
            asking, _ = door.accept()
            said, given, _, _ = socket.recv_fds(asking, MOST, 3)
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _command(app, asking, json.loads(said), given)
            asking.close()
            for each in given:
                os.close(each)


def _command(app, asking: socket.socket, said: list, given: list[int]) -> None:  # type: ignore[no-untyped-def,type-arg]
    arguments, folder, environment = said
    for number, each in enumerate(given):
        os.dup2(each, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    code = 1
    try:
        app(arguments, prog_name="casebridge")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        asking.send(str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    main()
