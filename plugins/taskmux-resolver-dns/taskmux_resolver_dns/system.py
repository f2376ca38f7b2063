"""The system we run on: what it is like, its files of ours, its commands."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import delegation, systemfile
from .delegation import MARK, Command, Impossible, Plan, Run, Unneeded, Write

COMMANDS = "/usr/bin:/bin:/usr/sbin:/sbin"
"""Where commands are looked for: as root they are run, so not where the caller says."""

LIMIT = 5.0
"""Seconds a command gets."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended; `detail` is the last line it said."""

    command: str
    ok: bool
    detail: str


class Undelegated(Exception):
    """The system cannot be made to ask us."""

    def __init__(self, impossible: Impossible) -> None:
        super().__init__(impossible.why)
        self.add_note(impossible.advice)


class CommandFailed(Exception):
    """A command of the system's did not do what it was run for."""

    def __init__(self, ran: Ran) -> None:
        super().__init__(f"`{ran.command}` failed: {ran.detail or 'it did not say why'}")


@dataclass(frozen=True, slots=True)
class System:
    """One system. `top` is where its files are, `path` where its commands are looked for."""

    platform: str = field(default_factory=lambda: sys.platform)
    top: Path = Path("/")
    path: str = COMMANDS

    def plan(self, tld: str, port: int) -> Plan:
        """Return how this system comes to ask us."""
        asked = delegation.Asked(
            self.platform,
            nsswitch=self._text("etc/nsswitch.conf"),
            resolv_conf=self._text("etc/resolv.conf"),
            resolved=(self.top / "run/systemd/resolve/stub-resolv.conf").exists(),
        )
        return delegation.plan(asked, tld, port)

    def install(self, tld: str, port: int) -> tuple[bool, str]:
        """Have the system ask us; return whether that changed anything, and what was done.

        Raises `Undelegated`, `CommandFailed`, and what `systemfile.write` does.
        """
        match self.plan(tld, port):
            case Unneeded(why):
                return False, why
            case Impossible() as impossible:
                raise Undelegated(impossible)
            case Run(command):
                self._must(command)
                return True, f"{tld} is delegated by a rule"
            case Write(path, content, after):
                changed = systemfile.write(self._place(path), content, MARK, self.top)
                if changed:
                    self._reload(after, undo=self._place(path).parent)
                return changed, f"{path} delegates {tld} to 127.0.0.1, port {port}"
        raise AssertionError("every plan is carried out")

    def uninstall(self) -> list[str]:
        """Take back whatever `install` did, for any domain; return what is gone."""
        if command := delegation.without_file(self.platform):
            self._must(command)
            return ["the rules of taskmux"]
        removed = [
            f"/{path.relative_to(self.top)}"
            for folder in delegation.folders(self.platform)
            for path in systemfile.remove_ours(self._place(folder), MARK, self.top)
        ]
        if removed:
            self._reload(delegation.withdrawn(self.platform))
        return removed

    def flush(self) -> list[Ran]:
        """Empty the system's caches of names, as far as it has any; return how that went."""
        found = (self._first(group) for group in delegation.flushing(self.platform))
        return [self._run(command) for command in found if command]

    def _first(self, commands: Sequence[Command]) -> Command | None:
        there = (command for command in commands if shutil.which(command[0], path=self.path))
        return next(there, None)

    def _reload(self, commands: Iterable[Command], undo: Path | None = None) -> None:
        """Run those of `commands` that are there; if one fails, nothing of ours stays in `undo`."""
        try:
            for command in commands:
                if self._first([command]):
                    self._must(command)
        except CommandFailed:
            if undo:
                systemfile.remove_ours(undo, MARK, self.top)
            raise

    def _must(self, command: Command) -> None:
        if not (ran := self._run(command)).ok:
            raise CommandFailed(ran)

    def _run(self, command: Command) -> Ran:
        name = " ".join(command)
        program = shutil.which(command[0], path=self.path) or command[0]
        environ = {"PATH": self.path, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                [program, *command[1:]], env=environ, cwd="/", stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Ran(name, False, f"no answer within {LIMIT:g} s")
        except OSError as error:
            return Ran(name, False, error.strerror or str(error))
        said = done.stdout.decode(errors="replace").strip().splitlines()
        return Ran(name, done.returncode == 0, said[-1] if said else "")

    def _text(self, path: str) -> str:
        try:
            return (self.top / path).read_text(errors="replace")
        except OSError:
            return ""

    def _place(self, path: str) -> Path:
        return self.top / path.removeprefix("/")
