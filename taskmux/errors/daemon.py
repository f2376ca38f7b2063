"""Errors of the daemon and of its registry of projects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .root import TaskmuxError, closest


class UnknownSession(TaskmuxError):
    """No registered project has that id."""

    code = "E300"

    def __init__(self, session: str, known: Iterable[str] = ()) -> None:
        hint = closest(session, known) or "run `taskmux daemon list` to see them"
        super().__init__(f"no project named {session!r}", hint=hint, session=session)


class NotRegistered(TaskmuxError):
    """The project to forget was never registered."""

    code = "E303"

    def __init__(self, session: str, known: Iterable[str] = ()) -> None:
        hint = closest(session, known) or "run `taskmux daemon list` to see what is"
        super().__init__(f"{session!r} is not registered", hint=hint, session=session)


class DaemonNotRunning(TaskmuxError):
    """Nobody answers at the daemon's socket."""

    code = "E304"
    exit_status = 3

    def __init__(self) -> None:
        super().__init__("the daemon is not running", hint="run `taskmux daemon start`")


class NameTaken(TaskmuxError):
    """Another folder's taskmux.toml has the same name, and still exists."""

    code = "E305"

    def __init__(self, session: str, path: str, other: str) -> None:
        hint = "change name in one of them, or run `taskmux daemon register --force` to replace it"
        sentence = f"{session!r} is registered from {other} already"
        super().__init__(sentence, hint=hint, session=session, path=path, other=other)


class DaemonDidNotStart(TaskmuxError):
    """The daemon ended before it was ready. `log` holds the last lines it wrote."""

    code = "E306"
    exit_status = 3

    def __init__(self, why: str, log: Sequence[str], path: str) -> None:
        super().__init__(
            f"the daemon did not come up: {why}",
            hint=f"its log is {path}",
            log=list(log),
            path=path,
        )


class DaemonEnding(TaskmuxError):
    """The daemon is ending its tasks, and takes nothing new. `pid` is the daemon's."""

    code = "E308"
    exit_status = 3

    def __init__(self, pid: int | None) -> None:
        super().__init__("the daemon is ending", hint="try again in a moment", pid=pid)


class DaemonRenewing(TaskmuxError):
    """The daemon is being restarted under its tasks. With `begun`, what was asked for goes on."""

    code = "E309"
    exit_status = 3

    def __init__(self, begun: bool) -> None:
        hint = "what was begun goes on: `taskmux status` shows how it is" if begun else "ask again"
        super().__init__("the daemon is being restarted", hint=hint, begun=begun)


class DaemonBusy(TaskmuxError):
    """The daemon cannot be restarted under its tasks just now. `waits_for` says why not."""

    code = "E310"

    def __init__(self, waits_for: Sequence[str]) -> None:
        super().__init__(
            f"the daemon cannot be restarted now: {', '.join(waits_for)}",
            hint="try again when that is over, or stop the tasks for it: --stop-tasks",
            waits_for=list(waits_for),
        )


class NotRenewed(TaskmuxError):
    """The daemon could not be restarted under its tasks, and goes on. `log` says more."""

    code = "E311"

    def __init__(self, why: str, log: Sequence[str]) -> None:
        super().__init__(
            f"the daemon was not restarted, and goes on: {why}",
            hint="to stop the tasks for it: taskmux daemon restart --stop-tasks",
            log=list(log),
        )


class NothingLeft(TaskmuxError):
    """The system has run out of something the answer needs. `why` completes "not now: "."""

    code = "E312"
    passing = True

    def __init__(self, why: str) -> None:
        hint = "try again in a moment, or raise the limit: see `ulimit -a`"
        super().__init__(f"not now: {why}", hint=hint)


class NotInstalled(TaskmuxError):
    """The daemon could not be made a service of the system, or be none any more."""

    code = "E313"

    def __init__(self, why: str, hint: str | None = None) -> None:
        super().__init__(f"the service could not be changed: {why}", hint=hint)


class ProtocolMismatch(TaskmuxError):
    """The daemon's answer is not one this version knows."""

    code = "E307"
    exit_status = 3

    def __init__(self, complaint: str) -> None:
        hint = "after an upgrade, run `taskmux daemon restart`"
        super().__init__(f"cannot read the daemon's answer: {complaint}", hint=hint)
