"""Errors of tasks: what was asked of one did not happen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .root import TaskmuxError, closest


class TaskNotFound(TaskmuxError):
    """The project has no task of that name."""

    code = "E200"

    def __init__(self, task: str, known: Iterable[str]) -> None:
        hint = closest(task, known) or "run `taskmux status` to see them"
        super().__init__(f"no task named {task!r}", hint=hint, task=task)


class AlreadyRunning(TaskmuxError):
    """A single task was to be started, and is up."""

    code = "E201"

    def __init__(self, task: str, state: str) -> None:
        hint = f"run `taskmux restart {task}`, or add --if-stopped"
        super().__init__(f"{task} is {state} already", hint=hint, task=task, state=state)


class NotRunning(TaskmuxError):
    """There is no process to kill."""

    code = "E202"

    def __init__(self, task: str, state: str) -> None:
        hint = f"run `taskmux start {task}`"
        super().__init__(f"{task} is not running: it is {state}", hint=hint, task=task, state=state)


class UnknownDependency(TaskmuxError):
    """`depends_on` names a task that is not there."""

    code = "E210"

    def __init__(self, task: str, dependency: str, known: Iterable[str]) -> None:
        sentence = f"{task} depends on {dependency!r}, which is not a task"
        hint = closest(dependency, known) or f"correct depends_on of [tasks.{task}] first"
        super().__init__(sentence, hint=hint, task=task, dependency=dependency)


class DependsOnItself(TaskmuxError):
    """`depends_on` names the task it belongs to."""

    code = "E211"

    def __init__(self, task: str) -> None:
        hint = f"remove {task!r} from its own depends_on"
        super().__init__(f"{task} depends on itself", hint=hint, task=task)


class DependencyCycle(TaskmuxError):
    """Tasks that wait for each other in a ring. `cycle` ends with its first name again."""

    code = "E212"

    def __init__(self, cycle: Sequence[str]) -> None:
        ring = " → ".join(cycle)
        hint = f"remove one of these dependencies, e.g. {cycle[1]!r} from {cycle[0]}"
        super().__init__(f"tasks depend on each other: {ring}", hint=hint, cycle=list(cycle))


class FolderMissing(TaskmuxError):
    """The folder a task is to run in does not exist."""

    code = "E213"

    def __init__(self, task: str, folder: str) -> None:
        hint = f"create it, or correct cwd of [tasks.{task}]"
        super().__init__(f"{task} cannot run in {folder}: no such folder", hint=hint, task=task)


class NeverReady(TaskmuxError):
    """A task waits for one that cannot become ready any more."""

    code = "E214"

    def __init__(self, task: str, dependency: str, why: str) -> None:
        hint = f"run `taskmux inspect {dependency}`"
        sentence = f"{dependency} will not become ready: {why}"
        super().__init__(sentence, hint=hint, task=task, dependency=dependency)


class SpawnFailed(TaskmuxError):
    """The command could not be run at all.

    It is `passing` if the system had nothing left to run it with.
    """

    code = "E215"

    def __init__(self, task: str, why: str, passing: bool = False) -> None:
        hint = f"check command of [tasks.{task}], then `taskmux logs {task}`"
        if passing:
            hint = "end something that you don't need, or raise the limit: see `ulimit -a`"
        super().__init__(f"{task} cannot be run: {why}", hint=hint, task=task)
        self.passing = passing


class NoFreePort(TaskmuxError):
    """Every port taskmux may hand out is taken."""

    code = "E216"

    def __init__(self, task: str) -> None:
        super().__init__(f"no free port for {task}", hint="stop something that listens", task=task)


class TaskFailed(TaskmuxError):
    """The task ran, and ended in `state` before it was ready. `reason` is the task's own."""

    code = "E217"

    def __init__(self, task: str, state: str, reason: str) -> None:
        hint = f"run `taskmux logs {task}`"
        facts = {"task": task, "state": state, "reason": reason}
        super().__init__(f"{task} is {state}: {reason}", hint=hint, **facts)


class Overtaken(TaskmuxError):
    """Somebody asked for something else before it had come about: the newer request counts."""

    code = "E218"

    def __init__(self, task: str, state: str, reason: str) -> None:
        sentence = f"a newer request overtook this one: {task} is {state} ({reason})"
        hint = f"run `taskmux events --task {task}` to see what happened"
        super().__init__(sentence, hint=hint, task=task, state=state, reason=reason)


class LogsLeft(TaskmuxError):
    """Something beside a task's log has the name of a file of it, and cannot be deleted."""

    code = "E219"

    def __init__(self, task: str, left: Sequence[str]) -> None:
        sentence = f"not all logs of {task} could be deleted: {', '.join(left)}"
        hint = "move away what is no log, or choose another log_file"
        super().__init__(sentence, hint=hint, task=task, left=list(left))


class HookFailed(TaskmuxError):
    """A hook ended with another status than 0. `tail` is the last of what it printed."""

    code = "E400"

    def __init__(self, task: str, hook: str, status: int, tail: str) -> None:
        said = f": {tail}" if tail else ""
        sentence = f"{hook} of {task} failed with {status}{said}"
        hint = f"run `taskmux logs {task}`"
        super().__init__(sentence, hint=hint, task=task, hook=hook, exit_code=status)


class HookTimedOut(TaskmuxError):
    """A hook ran longer than it may. `limit` is in seconds."""

    code = "E401"

    def __init__(self, task: str, hook: str, limit: float) -> None:
        hint = "make it quicker, or raise hook_timeout"
        sentence = f"{hook} of {task} did not end within {limit:g} s"
        super().__init__(sentence, hint=hint, task=task, hook=hook, limit=limit)
