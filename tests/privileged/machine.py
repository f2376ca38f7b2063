"""A machine of its own, as far as the kernel makes one: users, ports, processes, /etc/hosts.

Whatever happens in it is gone with its first process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent.parent
SITE = Path(sysconfig.get_path("purelib"))
UID, GID, GROUP = 4242, 4343, 4444
"""Of the user joe, of joe's own group, and of one that joe is in besides."""

PASSWD = f"root:x:0:0:root:/root:/bin/sh\njoe:x:{UID}:{GID}:Joe:{{}}:/bin/sh\n"
GROUPS = f"root:x:0:\njoe:x:{GID}:\ndevs:x:{GROUP}:joe\n"

RESOLVER = """\
import json, os, pathlib
from contextlib import asynccontextmanager
from pluggy import HookimplMarker

FOLDER = pathlib.Path({folder!r})


class Noted:
    name = "noted"
    summary = "Note what is asked for, and write it into the hosts file."

    def prepare_as_root(self, names, settings):
        ids = [os.getuid(), os.geteuid(), os.getgid()]
        said = {{"names": list(names), "settings": dict(settings), "ids": ids}}
        (FOLDER / "prepared.json").write_text(json.dumps(said))
        if settings.get("hosts_file") == "/fail":
            raise OSError("the hosts file is read-only")
        with open("/etc/hosts", "a") as file:
            file.writelines(f"127.0.0.1 {{name}}\\n" for name in names)

    @asynccontextmanager
    async def open(self, context):
        yield self

    async def publish(self, records):
        pass


@HookimplMarker("taskmux")
def taskmux_host_resolvers():
    yield Noted()
"""
BYSTANDER = """\
import os, pathlib
pathlib.Path({folder!r}, f"bystander.{{os.geteuid()}}").touch()
from pluggy import HookimplMarker


@HookimplMarker("taskmux")
def taskmux_host_resolvers():
    return ()
"""


@dataclass
class Machine:
    """A running one; `folder` is seen from inside and outside alike."""

    folder: Path
    pid: int

    @property
    def home(self) -> Path:
        """The home of joe."""
        return self.folder / "joe"

    @property
    def ours(self) -> Path:
        """Where taskmux keeps what it keeps for joe."""
        return self.home / ".taskmux"

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside as root."""
        return subprocess.run(
            self.inside(*command),
            env=environ or {"PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    def inside(self, *command: str) -> list[str]:
        """Return what runs a command inside, in the root folder."""
        return ["nsenter", f"--target={self.pid}", "-m", "-n", "-p", "--wd=/", *command]

    def sudo(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `sudo taskmux` as joe types it, with sudo's environment, and with that."""
        return self.run(*self.taskmux(*words), **(sudo_environ() | environ))

    def joe(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `taskmux` as joe."""
        return self.run(*self.as_joe(*self.taskmux(*words)), **self.joe_environ())

    def ask(self, *words: str) -> Any:
        """Run `taskmux` as joe; return the document it answers with, of a success."""
        done = self.joe(*words, "--json")
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def taskmux(self, *words: str) -> list[str]:
        """Return the command line."""
        return [sys.executable, "-P", "-m", "taskmux", *words]

    def as_joe(self, *command: str) -> list[str]:
        """Return what has joe run a command."""
        ids = [f"--reuid={UID}", f"--regid={GID}", "--clear-groups"]
        return ["setpriv", *ids, *command]

    def joe_environ(self) -> dict[str, str]:
        """Return joe's environment."""
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8"}

    def owners(self) -> set[int]:
        """Return everybody who owns something in joe's home."""
        return {place.lstat().st_uid for place in [self.home, *self.home.rglob("*")]}

    def write(self, path: Path, text: str) -> None:
        """Write a file of joe's."""
        for folder in reversed([path.parent, *path.parent.parents]):
            if not folder.exists():
                folder.mkdir(mode=0o700)
                os.chown(folder, UID, GID)
        path.write_text(text)
        os.chown(path, UID, GID)


def sudo_environ() -> dict[str, str]:
    """Return what sudo leaves of an environment, and adds to it."""
    return {
        "SUDO_UID": str(UID),
        "SUDO_GID": str(GID),
        "SUDO_USER": "joe",
        "SUDO_COMMAND": "taskmux daemon",
        "HOME": "/root",
        "USER": "root",
        "LOGNAME": "root",
        "SHELL": "/bin/bash",
        "MAIL": "/var/mail/root",
        "XDG_CONFIG_HOME": "/root/.config",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "LC_TIME": "C",
    }


@contextmanager
def machine() -> Iterator[Machine]:
    """Return a machine with a user joe, who has nothing yet."""
    folder = Path(tempfile.mkdtemp(prefix="taskmux-machine-"))
    folder.chmod(0o755)
    holder = None
    try:
        script = folder / "setup"
        script.write_text("\n".join(["set -e", *setup(folder), "echo up", "exec sleep infinity"]))
        command = ["unshare", "-m", "-n", "-p", "--fork", "--kill-child", "--mount-proc"]
        holder = subprocess.Popen([*command, "sh", str(script)], stdout=subprocess.PIPE)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        [first] = psutil.Process(holder.pid).children()
        yield Machine(folder, first.pid)
    finally:
        if holder is not None:
            holder.kill()
            holder.wait()
            assert holder.stdout is not None
            holder.stdout.close()
        shutil.rmtree(folder)


def setup(folder: Path) -> Iterator[str]:
    """Yield what makes the machine, as lines of a shell script; make the files it needs."""
    home, site = folder / "joe", folder / "site"
    home.mkdir(mode=0o700)
    os.chown(home, UID, GID)
    for name, text in {
        "passwd": PASSWD.format(home),
        "group": GROUPS,
        "hosts": "127.0.0.1 localhost\n",
    }.items():
        (folder / name).write_text(text)
        yield f"mount --bind {folder / name} /etc/{name}"
    yield "ip link set lo up"
    modules = {"noted": RESOLVER, "bystander": BYSTANDER}
    for module, text in modules.items():
        site.joinpath(f"{module}-1.dist-info").mkdir(parents=True)
        (site / f"{module}.py").write_text(text.format(folder=str(folder)))
        about = site / f"{module}-1.dist-info"
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
        (about / "entry_points.txt").write_text(f"[taskmux]\n{module} = {module}\n")
    yield f"mount -t overlay overlay -o lowerdir={site}:{SITE} {SITE}"
    yield from opened([Path(sys.base_prefix).resolve(), Path(sys.prefix), ROOT], folder)


def opened(places: Iterable[Path], folder: Path) -> Iterator[str]:
    """Yield what makes folders readable for joe that are in a folder of root's alone."""
    hidden = [(place, top) for place in places if (top := barred(place)) is not None]
    for number, (place, _) in enumerate(hidden):
        (folder / f"place{number}").mkdir()
        yield f"mount --rbind {place} {folder}/place{number}"
    for top in {top for _, top in hidden}:
        yield f"mount -t tmpfs -o mode=755 tmpfs {top}"
    for number, (place, _) in enumerate(hidden):
        yield f"mkdir -p {place} && mount --rbind {folder}/place{number} {place}"


def barred(place: Path) -> Path | None:
    """Return the highest folder on the way there that others may not enter."""
    way = reversed([place, *place.parents])
    return next((folder for folder in way if not folder.stat().st_mode & 0o001), None)
