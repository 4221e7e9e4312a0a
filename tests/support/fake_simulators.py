"""Programs that stand in for an ArduCopter simulator and misbehave: for tests of what becomes of a flight then.

Each writes its process id into `pid` in its folder, so that a test can see whether it is gone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["alive", "make_fake", "pids"]

_HEAD = """#!{python} -SE
import os, socket, sys, time
with open("pid", "w") as file:
    file.write(str(os.getpid()))
instance = int(next(a for a in sys.argv if a.startswith("-I"))[2:])
"""
_LISTEN = """server = socket.create_server(("127.0.0.1", 5760 + 10 * instance))
print("Waiting for connection ....", flush=True)
client, _ = server.accept()
"""
KINDS = {
    "crashes": 'sys.exit("cannot map the flash file")\n',
    "never-listens": "time.sleep(60)\n",
    "mute": _LISTEN + "time.sleep(60)\n",
    "dies": _LISTEN + 'time.sleep(0.3)\nprint("Floating point exception", flush=True)\nos._exit(8)\n',
}


def make_fake(folder: Path, kind: str) -> Path:
    """Make the program of one kind: crashes, never-listens, mute (says nothing), dies (when it is connected to)."""
    program = folder / f"arducopter-{kind}"
    program.write_text(_HEAD.format(python=sys.executable) + KINDS[kind], "utf-8")
    program.chmod(0o755)
    return program


def pids(folder: Path) -> list[int]:
    """Give the process ids of all that were started below a folder."""
    return [int(text) for path in folder.rglob("pid") if (text := path.read_text())]


def alive(pid: int) -> bool:
    """Tell whether a process runs: one that is dead and whose parent has not looked yet does not."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        return stat.read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc/self").exists()
