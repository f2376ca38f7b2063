"""The programs that change what a system trusts: found, and run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from .places import Command

PATIENCE = 120.0
"""Seconds a program may take: macOS asks the user for consent meanwhile."""

BESIDES = "/usr/sbin:/sbin:/usr/local/sbin"
"""Where a user's PATH does not look, and these programs often are."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended."""

    ok: bool
    out: bytes = b""
    why: str = ""
    """The last line of its complaint."""

    err: str = ""


def found(program: str, environ: Mapping[str, str]) -> str | None:
    """Return where a program is; None where it is not installed."""
    return shutil.which(program, path=_path(environ))


def run(command: Command, environ: Mapping[str, str]) -> Done:
    """Run a command to its end, without input; what it can't even begin has failed, too."""
    try:
        done = subprocess.run(
            list(command),
            executable=found(command[0], environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**environ, "PATH": _path(environ), "LC_ALL": "C"},
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Done(ok=False, why=f"{command[0]} was not done within {PATIENCE:g} s")
    except OSError as error:
        return Done(ok=False, why=f"{command[0]}: {error.strerror}")
    err = done.stderr.decode(errors="replace").strip()
    why = err.splitlines()[-1] if err else f"it ended with {done.returncode}"
    why = why.removeprefix(f"{command[0]}: ")
    return Done(ok=done.returncode == 0, out=done.stdout, why=why, err=err)


def _path(environ: Mapping[str, str]) -> str:
    return f"{environ.get('PATH') or os.defpath}:{BESIDES}"
