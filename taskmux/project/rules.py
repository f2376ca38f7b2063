"""What must hold between the tasks of a file, and between the keys of a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from taskmux import graph
from taskmux.toml.wrong import Wrong

from .model import Condition, TaskConfig
from .names import env_name

Tasks = Mapping[str, TaskConfig]


def check(tasks: Tasks) -> None:
    """Raise `Wrong`, or what `graph.check` raises, if these tasks do not go together."""
    graph.check({name: task.depends_on for name, task in tasks.items()})
    for task in tasks.values():
        _check_conditions(task, tasks)
        if task.host == "*" and task.tunnel is not None:
            why = 'host = "*" stands for many names, and a tunnel needs one'
            raise Wrong(why, "give the task a host of its own", ("tasks", task.name, "tunnel"))
    each_its_own(tasks.values())


def _check_conditions(task: TaskConfig, tasks: Tasks) -> None:
    for name, condition in task.depends_on.items():
        if condition is Condition.COMPLETED and not tasks[name].oneshot:
            why = f"{name} is not meant to end, so it never is completed"
            hint = f'set type = "oneshot" in [tasks.{name}]'
            raise Wrong(why, hint, ("tasks", task.name, "depends_on", name))


def each_its_own(tasks: Iterable[TaskConfig]) -> None:
    """Raise `Wrong` if two tasks share what only one can have."""
    tasks = list(tasks)
    _differ(tasks, lambda task: env_name(task.name), None)
    _differ(tasks, lambda task: task.host, "host")
    _differ(tasks, lambda task: task.public_hostname, "public_hostname")
    _differ(tasks, lambda task: task.log_file, "log_file")


def _differ(
    tasks: Iterable[TaskConfig], value: Callable[[TaskConfig], str | None], key: str | None
) -> None:
    seen: dict[str, str] = {}
    for task in tasks:
        own = value(task)
        if own is None:
            continue
        if own in seen:
            raise _clash(task.name, seen[own], own, key)
        seen[own] = task.name


def _clash(task: str, other: str, value: str, key: str | None) -> Wrong:
    if key is None:
        why = f"{other} and {task} would both be {value} in environment names"
        return Wrong(why, "rename one of them", ("tasks", task))
    why = f"{other} and {task} cannot both have {key} = {value!r}"
    return Wrong(why, "change one of them", ("tasks", task, key))
