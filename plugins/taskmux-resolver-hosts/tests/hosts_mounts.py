"""What becomes of the system's hosts file on odd mounts, as JSON. To be run by `unshare -m`.

The argument is a copy of /etc, which takes the place of the real one for this process alone.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from taskmux_resolver_hosts.resolver import HostsResolver
from taskmux_resolver_hosts.trouble import HostsTrouble

HOSTS = Path("/etc/hosts")


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def prepare(*names: str) -> str:
    """Have `names` written as at a start as root; return what was wrong with that."""
    try:
        HostsResolver().prepare_as_root(names, {})
    except HostsTrouble as trouble:
        return "\n".join([str(trouble), *trouble.__notes__])
    return ""


def found(name: str) -> list[list[str]]:
    """Return the addresses that getent and Python find for a name."""
    said = subprocess.run(["getent", "ahosts", name], capture_output=True, text=True)
    listed = {line.split()[0] for line in said.stdout.splitlines()}
    try:
        answers = {str(info[4][0]) for info in socket.getaddrinfo(name, 443)}
    except socket.gaierror:
        answers = set()
    return [sorted(listed), sorted(answers)]


def replaceable() -> bool:
    """Return whether the file can be replaced by a rename."""
    beside = HOSTS.with_name("beside")
    try:
        beside.write_bytes(HOSTS.read_bytes())
        beside.rename(HOSTS)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        return False
    return True


def look(name: str, trouble: str) -> dict[str, object]:
    return {
        "trouble": trouble,
        "replaceable": replaceable(),
        "found": found(name),
        "hosts": HOSTS.read_text(),
        "beside": sorted(path.name for path in HOSTS.parent.glob(".hosts*")),
    }


def main(copy: str) -> None:
    mount("--make-rprivate", "/")
    mount("--bind", copy, "/etc")
    seen = {"before": look("a.taskmux-test.localhost", "")}
    seen["folder"] = look("a.taskmux-test.localhost", prepare("a.taskmux-test.localhost"))
    mount("--bind", "/etc/hosts", "/etc/hosts")
    seen["mounted"] = look("b.taskmux-test.localhost", prepare("b.taskmux-test.localhost"))
    mount("--bind", "-o", "ro,remount", "/etc/hosts")
    seen["mounted read-only"] = look(
        "c.taskmux-test.localhost", prepare("c.taskmux-test.localhost")
    )
    mount("--bind", "-o", "rw,remount", "/etc/hosts")
    mount("--bind", "-o", "ro,remount", "/etc")
    seen["read-only folder"] = look("d.taskmux-test.localhost", prepare("d.taskmux-test.localhost"))
    subprocess.run(["umount", "/etc/hosts"], check=True)
    mount("--bind", "-o", "rw,remount", "/etc")
    (store := Path("/etc/store")).mkdir()
    HOSTS.rename(store / "hosts")
    HOSTS.symlink_to("/etc/store/hosts")
    mount("--bind", "/etc/store", "/etc/store")
    mount("--bind", "-o", "ro,remount", "/etc/store")
    trouble = prepare("e.taskmux-test.localhost")
    seen["store"] = {"trouble": trouble, "link": HOSTS.is_symlink()}
    sys.stdout.write(json.dumps(seen))


main(sys.argv[1])
