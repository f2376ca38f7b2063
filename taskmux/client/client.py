"""One method for each command of the daemon, over its Unix socket.

A plain blocking socket: a command must start in the time it takes to type it,
and an event loop would double that. The messages are described in `taskmux.wire`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from taskmux import wire
from taskmux.errors import (
    DaemonEnding,
    DaemonNotRunning,
    DaemonRenewing,
    ProtocolMismatch,
    Refused,
)

from .again import PAUSE, asked_again, comes_back, outwait, within
from .line import Line, Unread, dial

Answer = TypeVar("Answer", bound=wire.Report)

CHANCES = 500
"""How often a daemon that does not get to it is asked again."""

NAMES = {kind: name for name, kind in wire.COMMANDS.items()}


class Refusal(msgspec.Struct, frozen=True):
    """What an error answer has at least."""

    error_code: str
    message: str
    hint: str | None = None


class Client:
    """Speaks to the daemon of one home, a connection a request.

    Every method raises `DaemonNotRunning`, `ProtocolMismatch`, or `Refused`
    with the daemon's own error in it. With `wake`, nobody answering is no
    error yet: it is called to start the daemon, and the request is made again.
    With `patience`, `TimeoutError` once nothing came for as many seconds.
    """

    def __init__(
        self, door: Path, wake: Callable[[], None] | None = None, patience: float | None = None
    ) -> None:
        self._door, self._wake, self._patience = door, wake, patience

    def hello(self) -> wire.DaemonReport:
        """Ask the daemon who it is."""
        return self._ask(wire.Hello(), wire.DaemonReport)

    def projects(self) -> wire.ProjectsReport:
        """List every registered project."""
        return self._ask(wire.ListProjects(), wire.ProjectsReport)

    def plugins(self) -> wire.PluginsReport:
        """List every plugin the daemon knows."""
        return self._ask(wire.ListPlugins(), wire.PluginsReport)

    def diagnose(self) -> wire.DoctorReport:
        """Ask the daemon how well it is itself."""
        return self._ask(wire.Diagnose(), wire.DoctorReport)

    def status_all(self) -> wire.ProjectsReport:
        """List every registered project, with its tasks."""
        return self._ask(wire.StatusAll(), wire.ProjectsReport)

    def status(self, request: wire.Status) -> wire.StatusReport:
        """Report every task of a project."""
        return self._ask(request, wire.StatusReport)

    def health(self, request: wire.Health) -> wire.HealthReport:
        """Report how well each task of a project is."""
        return self._ask(request, wire.HealthReport)

    def inspect(self, request: wire.Inspect) -> wire.InspectReport:
        """Report everything about one task."""
        return self._ask(request, wire.InspectReport)

    def start(self, request: wire.StartTasks) -> wire.ActionReport | wire.ActionsReport:
        """Start tasks and what they need."""
        return self._act(request)

    def restart(self, request: wire.RestartTasks) -> wire.ActionReport | wire.ActionsReport:
        """Stop tasks and start them afresh."""
        return self._act(request)

    def stop(self, request: wire.StopTasks) -> wire.ActionReport | wire.ActionsReport:
        """Stop tasks; return when nothing of them is left."""
        return self._act(request)

    def kill(self, request: wire.Kill) -> wire.ActionReport | wire.ActionsReport:
        """End tasks without asking them first."""
        return self._act(request)

    def wait(self, request: wire.Wait) -> wire.WaitReport:
        """Return once what is waited for has happened, or cannot any more."""
        return self._ask(request, wire.WaitReport)

    def clean_logs(self, request: wire.CleanLogs) -> wire.ActionReport | wire.ActionsReport:
        """Delete log files."""
        return self._act(request)

    def logs(self, request: wire.Logs) -> wire.LogsReport | wire.MergedLogsReport:
        """Return lines of one task, or of several by time."""
        answer = self._exchange(request)
        if "tasks" in answer:
            return _read(answer, wire.MergedLogsReport)
        return _read(answer, wire.LogsReport)

    def events(self, request: wire.Events) -> wire.EventsReport:
        """Return events, oldest first."""
        return self._ask(request, wire.EventsReport)

    def subscribe(self, request: wire.Subscribe) -> Iterator[dict[str, Any]]:
        """Yield every message the daemon pushes, until it ends or the iterator is closed."""
        with self._conversation(request) as (line, _), suppress(Unread):
            while (frame := line.receive()) is not None:
                if "push" in frame:
                    yield frame

    def register(self, request: wire.Register) -> wire.SessionReport:
        """Add a project to the registry."""
        return self._ask(request, wire.SessionReport)

    def unregister(self, request: wire.Unregister) -> wire.SessionReport:
        """Stop a project's tasks and forget it."""
        return self._ask(request, wire.SessionReport)

    def reload(self, request: wire.Reload) -> wire.SessionReport:
        """Have a project's taskmux.toml read again now."""
        return self._ask(request, wire.SessionReport)

    def add(self, request: wire.Add) -> wire.AddReport:
        """Add a task to taskmux.toml."""
        return self._ask(request, wire.AddReport)

    def remove(self, request: wire.Remove) -> wire.AddReport:
        """Stop a task and remove it from taskmux.toml."""
        return self._ask(request, wire.AddReport)

    def alias_add(self, request: wire.AliasAdd) -> wire.AliasChange:
        """Have a port of this machine reached by a name."""
        return self._ask(request, wire.AliasChange)

    def alias_list(self, request: wire.AliasList) -> wire.AliasesReport:
        """List every alias of a project."""
        return self._ask(request, wire.AliasesReport)

    def alias_remove(self, request: wire.AliasRemove) -> wire.AliasChange:
        """Forget an alias."""
        return self._ask(request, wire.AliasChange)

    def url(self, request: wire.Url) -> wire.UrlReport | wire.UrlsReport:
        """Say where a task or an alias is found, or all of them."""
        answer = self._exchange(request)
        if request.name is None:
            return _read(answer, wire.UrlsReport)
        return _read(answer, wire.UrlReport)

    def shutdown(self, request: wire.Shutdown) -> wire.DaemonReport:
        """End every task, then the daemon."""
        return self._ask(request, wire.DaemonReport)

    def clean(self, request: wire.Clean) -> wire.CleanReport:
        """Delete logs, events, or all that is kept of a project."""
        return self._ask(request, wire.CleanReport)

    def prune(self, request: wire.Prune) -> wire.PruneReport:
        """Find what nobody owns any more."""
        return self._ask(request, wire.PruneReport)

    def renew(self, request: wire.Renew) -> wire.DaemonReport:
        """Restart the daemon under its tasks; return who it is then."""
        line = dial(self._door, self._patience)
        with line, suppress(DaemonNotRunning, Unread):  # it closes the connection when it is done
            self._reply(line, request)
        return self.hello()

    def _ask(self, request: wire.Request, report: type[Answer]) -> Answer:
        return _read(self._exchange(request), report)

    def _act(self, request: wire.Request) -> wire.ActionReport | wire.ActionsReport:
        answer = self._exchange(request)
        if "results" in answer:
            return _read(answer, wire.ActionsReport)
        return _read(answer, wire.ActionReport)

    def _exchange(self, request: wire.Request) -> dict[str, Any]:
        with self._conversation(request) as (_, answer):
            return answer

    @contextmanager
    def _conversation(self, request: wire.Request) -> Iterator[tuple[Line, dict[str, Any]]]:
        """Yield the connection and the answer, of a daemon that is there to stay.

        One that is being restarted is asked again; whoever may wake a daemon outwaits
        one that ends.
        """
        began, remaining = time.monotonic(), request
        for chance in range(CHANCES, -1, -1):
            with self._dial() as line:
                try:
                    answer = self._reply(line, remaining)
                except (Refused, Unread) as failure:
                    again = asked_again(request, failure)
                    retry = self._retry(failure)
                    if again is None or retry is None or not chance:
                        raise DaemonNotRunning if isinstance(failure, Unread) else failure from None
                else:
                    yield line, answer
                    return
            retry()
            request = again
            remaining = within(request, time.monotonic() - began)

    def _retry(self, failure: Refused | Unread) -> Callable[[], None] | None:
        """Return what has to be waited for before asking again; None if that is no use."""
        if isinstance(failure, Unread) or failure.code == DaemonRenewing.code:
            return partial(time.sleep, PAUSE)
        pid = failure.facts.get("pid")
        if failure.code == DaemonEnding.code and self._wake is not None and isinstance(pid, int):
            return partial(outwait, pid)
        return None

    def _dial(self) -> Line:
        try:
            return dial(self._door, self._patience)
        except DaemonNotRunning:
            if not comes_back(self._door):
                if self._wake is None:
                    raise
                self._wake()
            return dial(self._door, self._patience)

    def _reply(self, line: Line, request: wire.Request) -> dict[str, Any]:
        line.send({"id": 1, "command": NAMES[type(request)], "params": request})
        while (answer := line.receive()) is not None:
            # What is pushed has no reply's id; a frame that made no sense has none either.
            if "push" not in answer and answer.get("id") in (1, None):
                return _unless_refused(answer)
        # It died over the question; of one that changes nothing it is all the same.
        raise Unread if isinstance(request, wire.LOOKING) else DaemonNotRunning


def _unless_refused(answer: dict[str, Any]) -> dict[str, Any]:
    if "error_code" not in answer or "message" not in answer:
        return answer
    _read(answer, Refusal)
    raise Refused(answer)


Kind = TypeVar("Kind")


def _read(answer: dict[str, Any], kind: type[Kind]) -> Kind:
    try:
        return msgspec.convert(answer, kind)
    except msgspec.MsgspecError as error:
        raise ProtocolMismatch(str(error)) from None
