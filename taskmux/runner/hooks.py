"""Runs the commands of a task's hooks."""

from __future__ import annotations

import anyio

from taskmux.errors import HookFailed, HookTimedOut
from taskmux.lifecycle import Hook
from taskmux.logs import LogWriter
from taskmux.processes import run_shell

from .aside import Aside
from .failures import told
from .outfit import Outfit, Spec


async def run_hook(spec: Spec, hook: Hook, outfit: Outfit, log: LogWriter) -> None:
    """Run every command of a hook, one after another; what they print goes to the log.

    Raises `HookFailed` or `HookTimedOut` at the first that does not end well,
    `FolderMissing` or `SpawnFailed` if one cannot be run.
    """
    for command in spec.hooks.get(hook, ()):
        log.note(f"{hook}: {command}")
        await _run(spec, hook, command, outfit, log)


async def _run(spec: Spec, hook: Hook, command: str, outfit: Outfit, log: LogWriter) -> None:
    aside = Aside(log)
    try:
        with anyio.fail_after(spec.hook_timeout), told(spec, f"{hook}: "):
            run = await run_shell(command, cwd=spec.cwd, environ=outfit.environ, feed=aside.feed)
    except TimeoutError:
        raise HookTimedOut(spec.name, hook, spec.hook_timeout) from None
    finally:
        aside.end()
    if run.status != 0:
        raise HookFailed(spec.name, hook, run.status, run.tail.rpartition("\n")[2])
