from __future__ import annotations

import json
import os
import re
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from taskmux import paths
from taskmux.api import unix
from tests.e2e.site import Site, run_cli

SLEEPER = '[tasks.a]\ncommand = "sleep 1000"\n'
FLOOD = """
[tasks.flood]
command = "yes 'a line of some forty characters, or more'"
log_max_size = "1MB"
log_max_files = 1
"""
FOLLOWERS = 500
LOST = re.compile(rb'"push":"lost","count":(\d+)')
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Let this process have as many files open as it may."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def guests(site: Site, number: int, say: bytes = b"") -> Iterator[list[socket.socket]]:
    """Connect so many raw clients, each of which says something and then no more."""
    with ExitStack() as stack:
        sockets = []
        for _ in range(number):
            guest = stack.enter_context(socket.socket(socket.AF_UNIX))
            guest.connect(str(paths.door(site.home)))
            guest.sendall(say)
            sockets.append(guest)
        yield sockets


def subscription(*tasks: str) -> bytes:
    params = {"session": "shop", "logs": tasks, "events": ["none"]}
    return json.dumps({"command": "subscribe", "params": params}).encode() + b"\n"


def memory(pid: int | None) -> int:
    """Return the most that a process has had in memory."""
    [line] = [n for n in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmHWM" in n]
    return int(line.split()[1]) * 1024


def read_line(guest: socket.socket) -> Any:
    with guest.makefile() as lines:
        return json.loads(lines.readline())


class Ears:
    """Reads what comes to many sockets, in a thread, for as long as its context lasts.

    Of each it is known how many messages came or were said to be lost, and whether it was
    hung up on.
    """

    def __init__(self, sockets: list[socket.socket]) -> None:
        self.counts = dict.fromkeys(sockets, 0)
        self.gone = 0
        self._rest = dict.fromkeys(sockets, b"")
        self._awaited = b""
        self._deaf: set[socket.socket] = set()
        self._all = Event()
        self._stop, self._stopped = socket.socketpair()
        self._thread = Thread(target=self._listen)

    def __enter__(self) -> Ears:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.close()
        self._thread.join()
        self._stopped.close()

    def listen_for(self, text: bytes) -> None:
        """Note who hears a text that is about to be said."""
        self._deaf, self._all = set(self.counts), Event()
        self._awaited = text

    def all_heard(self) -> bool:
        """Return whether everybody hears it within some seconds."""
        return self._all.wait(10)

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            for end in (self._stopped, *self.counts):
                end.setblocking(False)
                selector.register(end, selectors.EVENT_READ, end)
            while True:
                for key, _ in selector.select():
                    one: socket.socket = key.data
                    if one is self._stopped:
                        return
                    if not self._hear(one):
                        self.gone += 1
                        selector.unregister(one)

    def _hear(self, one: socket.socket) -> bool:
        piece = one.recv(MEGABYTE)
        whole, newline, rest = (self._rest[one] + piece).rpartition(b"\n")
        self._rest[one] = rest
        lost = [int(count) for count in LOST.findall(whole)]
        self.counts[one] += whole.count(b"\n") + len(newline) - len(lost) + sum(lost)
        if self._awaited and self._awaited in whole:
            self._deaf.discard(one)
            if not self._deaf:
                self._all.set()
        return bool(piece)


@pytest.mark.parametrize("said", [b"", b'{"command":', b"x" * 4096], ids=["silent", "half", "long"])
def test_clients_that_ask_for_nothing_keep_nobody_out(site: Site, said: bytes) -> None:
    site.write(SLEEPER)
    site.ask("start")
    with guests(site, unix.MOST + 50, said):
        call = run_cli(site, "status", "--json")
        out, err = call.communicate()
        assert (call.returncode, err) == (0, b"")
        assert [task["state"] for task in json.loads(out)["tasks"]] == ["running"]
        assert site.ask("restart", "a")["state"] == "running"


def test_clients_that_never_read_cost_nobody_anything(site: Site) -> None:
    site.write(SLEEPER + FLOOD)
    site.ask("start")
    before = memory(site.daemon_pid())
    ask = b'{"command": "inspect", "params": {"session": "shop", "task": "a"}}\n'
    with guests(site, 20, subscription("*") + ask * 5):
        assert site.ask("restart", "a")["state"] == "running"
        assert site.ask("stop")["ok"]
    assert memory(site.daemon_pid()) - before < 100 * MEGABYTE


def test_a_client_that_is_stopped_holds_nobody_up(site: Site) -> None:
    site.write(SLEEPER + FLOOD)
    site.ask("start")
    program = f"""
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect({str(paths.door(site.home))!r})
client.sendall({subscription("flood")!r})
print(client.recv(1), flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stopped:
        try:
            assert stopped.stdout is not None
            assert stopped.stdout.readline() == b"b'{'\n"
            os.kill(stopped.pid, signal.SIGSTOP)
            assert site.ask("restart", "a")["state"] == "running"
            assert site.ask("stop", "flood")["ok"]
        finally:
            stopped.kill()


def follow_a_flood(site: Site, rounds: int) -> None:
    site.write(SLEEPER + FLOOD)
    site.ask("start", "a")
    before, slowest = memory(site.daemon_pid()), 0.0
    with guests(site, FOLLOWERS, subscription("flood", "a")) as followers:
        assert all(read_line(follower)["ok"] for follower in followers)
        with Ears(followers) as ears:
            site.ask("start", "flood")
            for _ in range(rounds):
                began = time.monotonic()
                site.ask("status")
                slowest = max(slowest, time.monotonic() - began)
            site.ask("stop", "flood")
            assert any(heard_by_all(site, ears, run) for run in range(2, 10))
            # Of every line each was told: that it was said, or that it was missed.
            assert len(set(ears.counts.values())) == 1
            assert ears.gone == 0
    grown = memory(site.daemon_pid()) - before
    print(f"slowest status {slowest:.3f} s; {grown >> 20} MB more for {FOLLOWERS} followers")
    assert grown < 100 * MEGABYTE


def heard_by_all(site: Site, ears: Ears, run: int) -> bool:
    """Have another task say something; return whether nobody had to miss it."""
    ears.listen_for(b"run %d started" % run)
    site.ask("restart", "a")
    return ears.all_heard()


def test_five_hundred_followers_of_a_flood_hold_nobody_up(site: Site) -> None:
    follow_a_flood(site, 5)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_five_hundred_followers_follow_for_long(site: Site) -> None:
    follow_a_flood(site, 300)


FOLLOW_FILES = """
import os, sys, threading
from pathlib import Path
from taskmux.logs import Window, follow, read

sources = {"a": Path(sys.argv[1])}
after = read(sources, Window()).next
ready, heard = threading.Semaphore(0), threading.Semaphore(0)

def listen():
    lines = follow(sources, after)
    ready.release()
    for line in lines:
        if b"run 3 started" in line.text:
            heard.release()
            return

for _ in range(int(sys.argv[2])):
    threading.Thread(target=listen, daemon=True).start()
for _ in range(int(sys.argv[2])):
    ready.acquire()
print("ready", flush=True)
for _ in range(int(sys.argv[2])):
    heard.acquire()
print("heard", flush=True)
os._exit(0)
"""


def test_many_who_follow_the_file_all_hear_what_is_written(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start", "a")
    log = paths.log(site.home, "shop", "a")
    command = [sys.executable, "-c", FOLLOW_FILES, str(log), "150"]  # more than inotify serves
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=site.environ) as followers:
        try:
            assert followers.stdout is not None
            assert followers.stdout.readline() == b"ready\n"
            site.ask("restart", "a")
            site.ask("restart", "a")
            assert followers.stdout.readline() == b"heard\n"
        finally:
            followers.kill()
