"""A socket deleted under a running daemon costs no task, and leaves no second daemon."""

from __future__ import annotations

import os
import signal
import time

from taskmux.client.launch import outlasting
from tests.e2e.site import Site, run_cli

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n'


def test_a_daemon_whose_socket_is_deleted_is_reached_again(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    before, daemon = site.tasks()["a"], site.daemon_pid()
    (site.home / "daemon.sock").unlink()
    assert site.tasks()["a"]["pid"] == before["pid"]
    assert site.ask("daemon", "status")["pid"] == daemon
    assert site.call("daemon", "restart")[0] == 0
    (site.home / "daemon.sock").unlink()
    assert site.tasks()["a"]["pid"] == before["pid"]


def test_a_daemon_whose_socket_was_deleted_just_now_is_stopped(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    pid = site.daemon_pid()
    assert pid is not None
    with outlasting(pid):
        (site.home / "daemon.sock").unlink()
        assert site.ask("daemon", "stop")["reason"] == "stopped"
    assert site.left() == []


def test_nobody_waits_for_a_daemon_longer_than_whoever_asked_for_it(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    pid = site.daemon_pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        (site.home / "daemon.sock").unlink()
        asking = run_cli(site, "status")
        while len(site.left()) < 4:  # the daemon, its task, who asks, and who waits for the lock
            time.sleep(0.01)
        asking.kill()
        asking.communicate()
        while len(site.left()) > 2:
            time.sleep(0.01)
    finally:
        os.kill(pid, signal.SIGCONT)
