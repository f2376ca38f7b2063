"""Carries out a plan: never over a file that is not ours, and as often as one likes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from taskmux.errors import FileExists, NotInstalled
from taskmux.files import read_regular, write_private

from .mark import ours
from .plan import Command, Plan

PATIENCE = 400.0
"""Seconds a command may take: a stop waits five minutes for tasks."""

BOOTED = Path("/run/systemd/system")
"""Is there where systemd runs."""


def check(plan: Plan) -> dict[str, bool]:
    """Return of each file whether it is there as planned.

    Raises `FileExists` for another's, or `NotInstalled` for what no unit can say.
    """
    try:
        return {path: _content(Path(path)) == text.encode() for path, text in plan.files.items()}
    except UnicodeEncodeError:
        raise NotInstalled("a path in it is not UTF-8") from None


def install(plan: Plan) -> bool:
    """Write the files and run the commands; return whether anything was not there as planned.

    Raises `FileExists`, or `NotInstalled`: what was not there before is then gone again.
    """
    as_planned = check(plan)
    if plan.manager == "systemd" and not BOOTED.is_dir():
        hint = "`taskmux daemon start` needs none; --dry-run shows what would be written"
        raise NotInstalled("systemd does not run here", hint)
    new = [Path(path) for path in plan.files if not os.path.lexists(path)]
    try:
        for path, text in plan.files.items():
            if not as_planned[path]:
                write_private(Path(path), text.encode())
                Path(path).chmod(plan.mode)
        for command in plan.install:
            _run(command)
    except (OSError, NotInstalled) as error:
        _undo(plan, new)
        if isinstance(error, OSError):
            raise NotInstalled(f"{error.filename}: {error.strerror}") from None
        raise
    return not all(as_planned.values())


def _undo(plan: Plan, new: Sequence[Path]) -> None:
    """Take back what there was not before; `enable` may have been half done."""
    whole = len(new) == len(plan.files)
    for command in plan.leave if whole else ():
        _run(replace(command, may_fail=True))
    for place in new:
        with suppress(OSError):
            place.unlink(missing_ok=True)
    for command in plan.forget if whole else ():
        _run(replace(command, may_fail=True))


def uninstall(plan: Plan) -> list[str]:
    """Undo it; return the files that are gone. Raises `FileExists` for one that is not ours."""
    there = [path for path in plan.files if _content(Path(path)) is not None]
    if not there:
        return []
    for command in plan.leave:
        _run(command)
    for path in there:
        try:
            Path(path).unlink(missing_ok=True)
        except OSError as error:
            raise NotInstalled(f"{path} cannot be removed: {error.strerror}") from None
    for command in plan.forget:
        _run(command)
    return there


def _content(path: Path) -> bytes | None:
    content: bytes | None = None
    with suppress(ValueError):
        try:
            content = read_regular(path)
        except OSError as error:
            if not os.path.lexists(path):  # one of its folders is a file
                raise NotInstalled(f"{path}: {error.strerror}") from None
    if content is None and os.path.lexists(path):
        raise FileExists(str(path))
    if content is not None and not ours(content):
        raise FileExists(str(path))
    return content


def _run(command: Command) -> None:
    try:
        done = subprocess.run(
            list(command.words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        if not command.may_fail:
            raise NotInstalled(f"{command.words[0]}: {_why(error)}") from None
        return
    if done.returncode != 0 and not command.may_fail:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise NotInstalled(f"`{' '.join(command.words)}` failed: {''.join(said).rstrip('.')}")


def _why(error: OSError | subprocess.TimeoutExpired) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"not done within {PATIENCE:g} s"


def shown(commands: Sequence[Command]) -> list[list[str]]:
    """Return commands as words."""
    return [list(command.words) for command in commands]
