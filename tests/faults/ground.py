"""Circumstances for a daemon: limits, another user, file systems of its own. All end with it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.e2e.site import QUIET, Site

USER = 54_321
"""Nobody's number: what is counted for each user is ours alone."""

AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
READING = [f"--{kind}-caps=+dac_read_search" for kind in ("inh", "ambient")]
AS_READER = [*AS_USER, *READING]
"""He may read everything: an interpreter in somebody's home too."""
APART = ["unshare", "--mount", "--propagation", "private"]
AFTER = ["sh", "-c"]


def mounted(*mounts: str) -> list[str]:
    """Return what runs the command behind it where these were mounted, and nobody else sees it."""
    return [*APART, *AFTER, " && ".join([*mounts, 'exec "$@"']), "sh"]


def needs(*command: str, why: str) -> None:
    """Skip the test, saying why, where the command cannot be run."""
    if sys.platform != "linux":
        pytest.skip("such circumstances are made with Linux's means")
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(why)


def begin(site: Site, *circumstances: str) -> int:
    """Start the daemon in these circumstances and return its pid once it answers."""
    answer = outcome(site, *circumstances)
    assert answer == b"ready\n", answer
    pid = site.daemon_pid()
    assert pid is not None
    return pid


def outcome(site: Site, *circumstances: str) -> bytes:
    """Start the daemon in these circumstances and return what it tells whoever started it."""
    ready, told = os.pipe()
    command = [*circumstances, sys.executable, "-m", "taskmux.daemon", "--ready-fd", str(told)]
    log = site.folder / "daemon.log"
    with log.open("ab") as out, os.fdopen(ready, "rb") as pipe:
        child = subprocess.Popen(
            command, cwd="/", env=site.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            pass_fds=[told], start_new_session=True,
        )  # fmt: skip
        os.close(told)
        line = pipe.readline()
    child.wait(30)
    return line


def settled(site: Site, done: Callable[[Any], bool]) -> Any:
    """Return the first status that is `done`; the test's time limit ends the asking."""
    while not done(report := site.ask("status")):
        time.sleep(0.02)  # leaves the processor to whom it is asked about
    return report


def hand_over(site: Site) -> None:
    """Give all that is there to the other user."""
    for place in (site.home.parent, *site.home.parent.rglob("*")):
        os.chown(place, USER, USER, follow_symlinks=False)


@contextmanager
def open_to_user() -> Iterator[Site]:
    """Yield a site of the other user's, in a folder that he gets at."""
    needs(*AS_USER, "true", why="only root can become somebody else")
    top = Path(mkdtemp(prefix="taskmux-", dir="/tmp"))
    top.chmod(0o755)
    site = Site(top / "home", top / "shop")
    try:
        site.home.mkdir(mode=0o700)
        site.folder.mkdir()
        (site.home / "config.toml").write_text(QUIET)
        (site.home / "config.toml").chmod(0o600)
        yield site
    finally:
        try:
            site.end()
        finally:
            shutil.rmtree(top)


@contextmanager
def held(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that says a line when it has what it holds, and holds it until its input ends.

    Should we be killed, its input ends as well.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        try:
            assert holder.stdout.readline(), "it could not be had"
            yield holder
        finally:
            holder.stdin.close()


@contextmanager
def tmpfs(place: Path, size: str) -> Iterator[Path]:
    """Mount memory of that size at `place`, for nobody else; yield where we get at it."""
    mount = f"mount -t tmpfs -o size={size},mode=700 tmpfs {place}"
    needs(*mounted(mount), "true", why="nothing can be mounted here")
    with held(*APART, *AFTER, f"{mount} && echo up && exec cat") as holder:
        yield Path(f"/proc/{holder.pid}/root{place}")


@dataclass
class Daemon:
    """A daemon at work, whose limits can be changed. Raising one again needs no privilege."""

    pid: int
    user: bool = False

    @contextmanager
    def limited(self, kind: str, soft: int) -> Iterator[None]:
        """Lower a soft limit, as `prlimit` names it, within the block."""
        before = self._prlimit(f"--{kind}", "--output=SOFT", "--noheadings").strip()
        self._prlimit(f"--{kind}={soft}:")
        try:
            yield
        finally:
            self._prlimit(f"--{kind}={before}:")

    def files(self, left: int) -> int:
        """Return the limit of descriptors that leaves it so many, besides those it always has."""
        used = self._open()
        for _ in range(50):
            time.sleep(0.01)  # a probe has some for longer than it takes to look again
            used &= self._open()
        free = (number for number in range(10_000) if number not in used)
        return next(itertools.islice(free, left, None))

    def _open(self) -> set[int]:
        return {int(entry.name) for entry in Path(f"/proc/{self.pid}/fd").iterdir()}

    def _prlimit(self, *options: str) -> str:
        command = ["prlimit", "--pid", str(self.pid), *options]
        as_user = AS_USER if self.user else []
        return subprocess.run(
            [*as_user, *command], check=True, capture_output=True, text=True
        ).stdout
