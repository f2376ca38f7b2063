"""Rewrites hosts files in processes that are killed before, within or after each of their steps.

Run as a script, with a folder to do it in. Prints, as JSON, how many died and what was wrong
with what they left.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

from taskmux_resolver_hosts import beside
from taskmux_resolver_hosts.block import replace_block
from taskmux_resolver_hosts.hostsfile import HostsFile
from taskmux_resolver_hosts.place import Place
from taskmux_resolver_hosts.trouble import HostsTrouble

STEPS = ((os, "pwrite"), (os, "ftruncate"), (beside, "exchange"), (os, "rename"), (os, "unlink"))
"""All that changes what is there, but for making a file: that is followed by a first write."""

WAYS = ("replaced", "in place", "elsewhere", "nowhere")
"""`elsewhere` has the backup in another folder; `nowhere` has none, and may gain empty lines."""

NOBODY = 65534

HEAD = b"".join(b"10.0.0.%d one-%d\n" % (n, n) for n in range(200))
TAIL = b"".join(b"10.0.1.%d two-%d\n" % (n, n) for n in range(200))
FEW = [b"127.0.0.1\tapi.localhost"]
MANY = [b"127.0.0.1\tname-%d.localhost" % n for n in range(100)]


@dataclass
class Scene:
    """A hosts file in a folder of its own, to go from `old` to `new`."""

    folder: Path
    way: str
    before: list[bytes]
    lines: list[bytes]
    old: bytes = b""
    new: bytes = b""

    def set(self) -> None:
        self.folder.mkdir()
        self.folder.chmod(0o755)
        (self.folder / "spare").mkdir()
        kept = replace_block(HEAD, FEW) + TAIL
        self.old = replace_block(kept, self.before)
        self.new = replace_block(self.old, self.lines)
        self.etc.mkdir()
        (self.etc / "hosts").write_bytes(self.old)
        if self.way == "in place":
            os.link(self.etc / "hosts", self.etc / "other")
        if self.way in ("elsewhere", "nowhere"):
            os.chown(self.etc / "hosts", NOBODY, NOBODY)
        if self.way == "elsewhere":
            os.chown(self.folder / "spare", NOBODY, NOBODY)
        self.rest()

    def rest(self) -> None:
        """Let nobody seem to be at the file right now: that would be waited for."""
        os.utime(self.etc / "hosts", (0, 0))

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    def rewrite(self) -> None:
        place = Place(str(self.etc / "hosts"))
        file = HostsFile(place, system=True, spare=str(self.folder / "spare"))
        with nobody() if self.way in ("elsewhere", "nowhere") else nullcontext():
            file.rewrite(self.lines)

    def left(self) -> bytes:
        content = (self.etc / "hosts").read_bytes()
        return content.rstrip(b"\n") + b"\n" if self.way == "nowhere" else content

    def litter(self) -> list[str]:
        lying = [*self.etc.iterdir(), *(self.folder / "spare").iterdir()]
        return [path.name for path in lying if path.name not in ("hosts", "other")]


@contextmanager
def nobody() -> Iterator[None]:
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@dataclass
class Fate:
    """Counts the steps of a process, and ends it at one of them; 0 is never."""

    number: int
    moment: str
    steps: list[str] = field(default_factory=list)

    def guard(self, place: ModuleType, name: str) -> None:
        call = getattr(place, name)

        def guarded(*args: Any, **options: Any) -> Any:
            self.steps.append(name)
            if len(self.steps) != self.number:
                return call(*args, **options)
            if self.moment == "within" and name == "pwrite":
                call(args[0], args[1][: len(args[1]) // 2], args[2])
            if self.moment == "after":
                with suppress(OSError):  # what it was about to raise comes too late
                    call(*args, **options)
            return os.kill(os.getpid(), signal.SIGKILL)

        setattr(place, name, guarded)


def forked(work: Callable[[], object]) -> int:
    """Return how a process that does `work` ended: negative for a signal."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def doomed(scene: Scene, fate: Fate, report: Path | None = None) -> None:
    for place, step in STEPS:
        fate.guard(place, step)
    scene.rewrite()
    if report:
        os.write(os.open(report, os.O_WRONLY), json.dumps(fate.steps).encode())


def steps_of(scene: Scene) -> list[str]:
    report = scene.folder / "report"
    report.touch()
    report.chmod(0o666)
    assert forked(lambda: doomed(scene, Fate(0, ""), report)) == 0
    steps: list[str] = json.loads(report.read_bytes())
    return steps[:-1]  # the last one is the report's


def wrong_with(scene: Scene, fate: Fate, seen: dict[str, int]) -> Iterator[str]:
    if forked(lambda: doomed(scene, fate)) != -signal.SIGKILL:
        yield "it did not die"
    seen["deaths"] += 1
    if scene.left() not in (scene.old, scene.new):
        seen["torn"] += 1
        if scene.way in ("replaced", "nowhere"):
            yield "half a file"
    scene.rest()
    try:
        scene.rewrite()  # here, since starting another process is what takes time
    except HostsTrouble as trouble:
        yield f"nobody can write it any more: {trouble}"
    if scene.left() != scene.new:
        yield "what is there is not what was wanted"
    if scene.litter():
        yield f"left over: {scene.litter()}"


def moments(way: str, step: str, *, last: bool) -> Iterator[str]:
    yield "before"  # which is after the step that was before
    if step == "pwrite" and way != "nowhere":
        yield "within"
    if last:
        yield "after"


def main(top: Path) -> None:
    seen, wrong = {"deaths": 0, "torn": 0}, []
    changes = [(FEW, MANY), (MANY, [])]
    for number, (way, (before, lines)) in enumerate(product(WAYS, changes)):
        dry = Scene(top / f"{number}", way, before, lines)
        dry.set()
        steps = steps_of(dry)
        for at, step in enumerate(steps, 1):
            for moment in moments(way, step, last=at == len(steps)):
                scene = Scene(top / f"{number}-{at}-{moment}", way, before, lines)
                scene.set()
                faults = list(wrong_with(scene, Fate(at, moment), seen))
                wrong += [[way, len(before), len(lines), step, at, moment, why] for why in faults]
                shutil.rmtree(scene.folder)
    sys.stdout.write(json.dumps({"wrong": wrong, **seen}))


main(Path(sys.argv[1]))
