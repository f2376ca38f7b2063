"""Errors any request can meet: not allowed, not understood, interrupted, or our own defect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .root import TaskmuxError, closest


class PluginFailed(TaskmuxError):
    """A plugin raised, or took too long, at something it was asked to do."""

    code = "E700"

    def __init__(self, plugin: str, doing: str, why: str, hint: str | None = None) -> None:
        super().__init__(f"{plugin} could not {doing}: {why}", hint=hint, plugin=plugin)


class NobodyOffers(TaskmuxError):
    """A name no installed plugin answers to. `kind` is what was wanted: `health probe`.

    `absent` are plugins that are disabled or broken: it may be one of theirs.
    """

    code = "E701"

    def __init__(
        self, kind: str, name: str, known: Iterable[str], absent: Iterable[str] = ()
    ) -> None:
        known, absent = sorted(known), sorted(absent)
        hint = closest(name, known) or f"installed: {', '.join(known) or 'none'}"
        if absent:
            hint += f"; disabled or broken, see `taskmux plugins`: {', '.join(absent)}"
        super().__init__(f"no plugin offers the {kind} {name!r}", hint=hint, name=name)


class UnknownPlugin(TaskmuxError):
    """No plugin of that name is installed."""

    code = "E702"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        hint = closest(name, known) or f"installed: {', '.join(known) or 'none'}"
        super().__init__(f"no plugin named {name!r} is installed", hint=hint, name=name)


class NotAllowed(TaskmuxError):
    """Whoever asks may not. `why` completes "not allowed: "."""

    code = "E800"

    def __init__(self, why: str, hint: str | None = None) -> None:
        super().__init__(f"not allowed: {why}", hint=hint)


class BadRequest(TaskmuxError):
    """The command line, or a message to the daemon, does not parse."""

    code = "E801"
    exit_status = 2

    def __init__(self, complaint: str, hint: str | None = "run `taskmux --help`") -> None:
        super().__init__(complaint.rstrip("."), hint=hint)


class UnknownCommand(TaskmuxError):
    """No command of that name."""

    code = "E802"
    exit_status = 2

    def __init__(self, command: str, known: Iterable[str]) -> None:
        hint = closest(command, known) or "run `taskmux --help` to see them"
        super().__init__(f"no command named {command!r}", hint=hint, command=command)


class Internal(TaskmuxError):
    """A defect of ours. The traceback is in `log`, never on the terminal."""

    code = "E900"

    def __init__(self, log: str) -> None:
        super().__init__("taskmux itself went wrong", hint=f"details are in {log}", log=log)


class Interrupted(TaskmuxError):
    """The user pressed Ctrl-C."""

    code = "E901"
    exit_status = 130

    def __init__(self) -> None:
        super().__init__("interrupted")


class TimedOut(TaskmuxError):
    """What was waited for did not happen in time. `states` says, by task, how things stood."""

    code = "E902"
    exit_status = 124

    def __init__(self, waiting_for: str, limit: float, states: Mapping[str, str]) -> None:
        stood = "; ".join(f"{task} is {state}" for task, state in states.items())
        sentence = f"no {waiting_for} within {limit:g} s" + (f": {stood}" if stood else "")
        super().__init__(sentence, hint="run `taskmux status`", limit=limit, states=dict(states))


class NotShown(TaskmuxError):
    """The answer could not be written. What was asked for has been done."""

    code = "E903"

    def __init__(self, why: str) -> None:
        super().__init__(f"the answer could not be written: {why}", hint=None)
