"""Runs the commands of a task's hooks."""

from __future__ import annotations

from functools import partial

from taskmux.awake import Vigil
from taskmux.errors import HookFailed, HookTimedOut
from taskmux.lifecycle import Hook
from taskmux.logs import LogWriter
from taskmux.processes import run_shell

from .aside import Aside
from .outfit import Outfit, Spec
from .refusal import refusal


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
    run_it = partial(run_shell, command, cwd=spec.cwd, environ=outfit.environ, feed=aside.feed)
    try:
        run = await Vigil().hold(spec.hook_timeout, run_it)
    except TimeoutError:
        raise HookTimedOut(spec.name, hook, spec.hook_timeout) from None
    except OSError as error:
        raise refusal(spec, error, f"{hook}: ") from None
    finally:
        aside.end()
    if run.status != 0:
        raise HookFailed(spec.name, hook, run.status, run.tail.rpartition("\n")[2])
