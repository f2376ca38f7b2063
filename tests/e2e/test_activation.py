from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.site import Site

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n'

AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.closerange(4, 256)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


@contextmanager
def unit(site: Site, listening: socket.socket, channel: Path, name: str) -> Iterator[int]:
    """Run the daemon as a unit does, meanwhile; yield its pid."""
    daemon = [sys.executable, "-P", "-m", "taskmux", "daemon"]
    environ = {"LISTEN_FDS": "1", "LISTEN_FDNAMES": name, "NOTIFY_SOCKET": str(channel)}
    with subprocess.Popen(
        [sys.executable, "-c", AS_SYSTEMD, str(listening.fileno()), *daemon],
        env=site.environ | environ,
        pass_fds=[listening.fileno()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process.pid
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_a_unit_s_daemon_says_when_it_answers_and_keeps_its_sockets(
    site: Site, tmp_path: Path
) -> None:
    site.write(SLEEPER)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
    ):
        path = tmp_path / "notify"
        channel.bind(str(path))
        channel.settimeout(30)
        with unit(site, listening, path, "https") as pid:
            assert channel.recv(100) == b"READY=1\n"
            port = listening.getsockname()[1]
            place = [{"use": "https", "address": "127.0.0.1", "port": port}]
            listening.close()
            assert site.ask("daemon", "status")["listeners"] == place
            assert site.ask("start")["ok"]
            task = site.tasks()["a"]["pid"]
            opened = [str(one.readlink()) for one in Path(f"/proc/{task}/fd").iterdir()]
            assert not [one for one in opened if one.startswith("socket:")]
            after = site.ask("daemon", "restart")
            assert (after["pid"], after["listeners"]) == (pid, place)
            assert channel.recv(100) == b"READY=1\n"
            socket.create_connection(("127.0.0.1", port), 20).close()
        assert site.left() == []


def test_what_has_no_use_is_told_and_left(site: Site, tmp_path: Path) -> None:
    site.write(SLEEPER)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
    ):
        path = tmp_path / "notify"
        channel.bind(str(path))
        channel.settimeout(30)
        with unit(site, listening, path, "gopher"):
            assert channel.recv(100) == b"READY=1\n"
            assert site.ask("daemon", "status")["listeners"] == []
