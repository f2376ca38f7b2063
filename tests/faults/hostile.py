"""Tasks that do what a supervisor would rather not meet, as data.

Each is sourced by the task's own shell, which keeps the writing end of a FIFO open as
descriptor 9. Whatever it makes inherits that; the few that close it carry the FIFO's path
in their command line. `up` says through it that the mischief is done; `hostile` becomes the
row's Python script.

All of it ends by itself, should a test be killed: sleepers after five minutes, and what goes
on for ever when the file `go` is gone or two minutes old.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

GRACE = {"SIGINT": 20.0, "SIGTERM": 2.0, "SIGKILL": 0.1}
"""The grace period with which a stop takes just that signal, on a busy machine too."""

SHELL = f"""
PROOF="$PWD/proof.$TASKMUX_RUN"
exec 9>"$PROOF"
up() {{ echo up >&9; }}
hostile() {{ exec {quote(sys.executable)} -S -E hostile.py "$PROOF"; }}
"""

PYTHON = """
import os, signal, sys, time

def up():
    os.write(9, b"up\\n")

def stay():
    time.sleep(300)
    os._exit(0)

def going():
    try:
        return time.time() < os.stat("go").st_mtime + 120
    except FileNotFoundError:
        return False

def deaf():
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
"""


@dataclass(frozen=True)
class Hostile:
    """A task; `takes` is the signal that ends its leader when it is asked to stop."""

    name: str
    does: str
    shell: str
    script: str = ""
    takes: str = "SIGINT"
    nasty: bool = False
    """Every command that ends tasks is tried on it, not only `stop` and `kill`."""

    hides: bool = False
    """Somebody of it closes the FIFO."""

    @property
    def table(self) -> str:
        """Its table in taskmux.toml."""
        grace = GRACE[self.takes]
        return (
            '[tasks.it]\ncommand = ". ./hostile.sh"\nrestart_policy = "no"\n'
            f"stop_grace_period = {grace}\n"
        )

    def write(self, folder: Path) -> None:
        """Write what its command reads into `folder`."""
        (folder / "hostile.sh").write_text(f"# {self.does}\n{SHELL}{self.shell}\n")
        (folder / "hostile.py").write_text(f"{PYTHON}{self.script}\n")
        (folder / "go").touch()


CORPUS = (
    Hostile(
        "deaf-to-int",
        "ignores SIGINT",
        "trap '' INT; up; while :; do sleep 1; done",
        takes="SIGTERM",
    ),
    Hostile(
        "deaf",
        "ignores SIGINT and SIGTERM",
        "trap '' INT TERM; up; sleep 300; exit",
        takes="SIGKILL",
    ),
    Hostile(
        "stopped",
        "stops itself with SIGSTOP",
        "(until grep -q '^State:.T' /proc/$$/status; do :; done; up) & kill -STOP $$; sleep 300",
        takes="SIGTERM",
    ),
    Hostile(
        "double-fork",
        "leaves a grandchild without parent in a session of its own",
        "hostile",
        """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        deaf()
        up()
        stay()
    os._exit(0)
os.wait()
stay()
""",
        nasty=True,
    ),
    Hostile(
        "no-environment",
        "a child in a session of its own drops the environment while its parent lives",
        "setsid env -i sh -c 'echo up >&9; sleep 300; :' & wait",
        nasty=True,
    ),
    Hostile(
        "stranger",
        "an orphan in a session of its own dropped the environment",
        "setsid env -i sh -c '(echo up >&9; sleep 300; :) & exit' & sleep 300; exit",
        nasty=True,
    ),
    Hostile(
        "job-control",
        "starts background jobs in groups of their own",
        "set -m; sleep 300 & sleep 300 & sleep 300 | sleep 300 & up; wait",
    ),
    Hostile(
        "deaf-to-hangup",
        "a child ignores SIGHUP",
        "(trap '' HUP; up; sleep 300; :) & wait",
    ),
    Hostile(
        "nohup",
        "a child is run by nohup",
        "nohup sh -c 'echo up >&9; sleep 300; :' >/dev/null 2>&1 & wait",
    ),
    Hostile(
        "crowd",
        "makes two hundred sleepers, each in a session of its own",
        "hostile",
        """
told, tell = os.pipe()
for _ in range(200):
    if os.fork() == 0:
        os.setsid()
        deaf()
        os.close(tell)
        stay()
os.close(tell)
os.read(told, 1)
up()
stay()
""",
        nasty=True,
    ),
    Hostile(
        "chain",
        "forks and exits for ever in a session of its own",
        "hostile",
        """
if os.fork() == 0:
    os.setsid()
    deaf()
    up()
    while going():
        if os.fork():
            os._exit(0)
    os._exit(0)
stay()
""",
        nasty=True,
    ),
    Hostile(
        "nomad",
        "forks and exits for ever, each generation in a session of its own",
        "hostile",
        """
if os.fork() == 0:
    deaf()
    up()
    while going():
        os._exit(0) if os.fork() else os.setsid()
    os._exit(0)
stay()
""",
        nasty=True,
    ),
    Hostile(
        "server",
        "a server daemonizes and closes every descriptor but its socket",
        "hostile",
        """
import socket
told, tell = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    deaf()
    os.chdir("/")
    server = socket.create_server(("127.0.0.1", 0))
    os.dup2(server.fileno(), 0)
    for descriptor in (*range(255, tell, -1), *range(1, tell + 1)):
        try:
            os.close(descriptor)
        except OSError:
            pass
    stay()
os.close(tell)
os.read(told, 1)
up()
stay()
""",
        nasty=True,
        hides=True,
    ),
    Hostile(
        "terminal-holder",
        "a child has the terminal open after the leader's exit",
        "(trap '' HUP INT TERM; up; sleep 300; :) & trap 'exit 0' INT; wait",
    ),
    Hostile(
        "while-being-killed",
        "exits a moment after SIGTERM, so that it ends while it is being killed",
        "hostile",
        """
def leave(*_):
    time.sleep(0.05)
    os._exit(0)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, leave)
up()
stay()
""",
        takes="SIGTERM",
    ),
    Hostile(
        "respawner",
        "makes a new child in a session of its own whenever one dies",
        "hostile",
        """
if os.fork() == 0:
    os.setsid()
    deaf()
    up()
    while going():
        if os.fork() == 0:
            os.setsid()
            stay()
        os.wait()
    os._exit(0)
stay()
""",
        nasty=True,
    ),
    Hostile(
        "full-pipe",
        "is blocked in a write to a pipe that nobody reads",
        "hostile",
        """
reader, writer = os.pipe()
if os.fork() == 0:
    deaf()
os.set_blocking(writer, False)
try:
    while True:
        os.write(writer, bytes(4096))
except BlockingIOError:
    os.set_blocking(writer, True)
up()
os.write(writer, bytes(4096))
""",
    ),
    Hostile(
        "flood",
        "prints as fast as the terminal takes it",
        "up; exec yes 'a line of a flood'",
    ),
    Hostile(
        "renamed",
        "executes itself for ever, each time under another name",
        "hostile",
        """
ME = "hostile.py"
if sys.argv[-1] != "again":
    if os.fork():
        stay()
    os.setsid()
    deaf()
    up()
if going():
    name = "[kworker/%d:1]" % (time.monotonic_ns() % 1000)
    os.execv(sys.executable, [name, "-S", "-E", ME, "again"])
""",
        nasty=True,
    ),
    Hostile(
        "foreground",
        "a child in a group of its own has the terminal's foreground",
        "hostile",
        """
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpgrp())
    deaf()
    up()
    stay()
stay()
""",
    ),
    Hostile(
        "zombies",
        "never waits for fifty dead children",
        "hostile",
        """
for _ in range(50):
    if os.fork() == 0:
        os._exit(0)
os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
if os.fork() == 0:
    os.setsid()
    for _ in range(50):
        if os.fork() == 0:
            os._exit(0)
    up()
    stay()
stay()
""",
    ),
    Hostile(
        "traced",
        "a grandchild in a session of its own was stopped, as a debugger would",
        "hostile",
        """
if os.fork() == 0:
    os.setsid()
    pid = os.fork()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
        stay()
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    up()
    os._exit(0)
os.wait()
stay()
""",
    ),
    Hostile(
        "last-will",
        "starts new processes on its way out",
        "trap 'setsid sleep 300 & exit 0' INT TERM EXIT; up; while :; do sleep 1; done",
        nasty=True,
    ),
    Hostile(
        "parentheses",
        "has a name that looks like the rest of a line in /proc",
        "hostile",
        """
if os.fork() == 0:
    os.setsid()
    deaf()
    with open("/proc/self/comm", "w") as name:
        name.write("x) Z 1 1 1 1")
    up()
    stay()
stay()
""",
    ),
    Hostile(
        "innocent",
        "executes another program with a first argument that is not its name",
        "hostile",
        """
up()
os.execv("/bin/sleep", ["taskmux daemon", "300"])
""",
    ),
    Hostile(
        "second-terminal",
        "runs a shell on a terminal that it made, as script(1) does",
        "hostile",
        """
import pty
pid, master = pty.fork()
if pid == 0:
    deaf()
    up()
    stay()
while True:
    os.read(master, 1024)
""",
    ),
    Hostile(
        "agent",
        "daemonizes, closes its descriptors and may not be traced, as ssh-agent does",
        "hostile",
        """
import ctypes
told, tell = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    deaf()
    os.chdir("/")
    assert ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0  # PR_SET_DUMPABLE
    os.closerange(tell + 1, 256)
    os.closerange(0, tell + 1)
    stay()
os.close(tell)
os.read(told, 1)
up()
stay()
""",
        hides=True,
    ),
    Hostile(
        "headless",
        "the first thread of a child has ended, so that it looks dead while another goes on",
        "hostile",
        """
import ctypes, threading
if os.fork():
    stay()
os.setsid()
deaf()

def go_on():
    while open("/proc/self/stat").read().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.001)
    up()
    stay()

threading.Thread(target=go_on).start()
ctypes.CDLL(None).syscall({"x86_64": 60}.get(os.uname().machine, 93), 0)  # exit
""",
    ),
)
