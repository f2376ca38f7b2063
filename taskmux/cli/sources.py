"""What a project is and where its files are, for commands that ask no daemon."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from taskmux import paths
from taskmux.errors import NameTaken, TaskmuxError, TaskNotFound
from taskmux.files import read_text
from taskmux.project import ProjectConfig, parse

from .session import Session


def read_config(path: Path) -> ProjectConfig:
    """Return what a taskmux.toml says; raise the error that says what is wrong with it."""
    return parse(read_text(path), str(path))


def session_id(session: Session) -> str:
    """Return the project's id: as registered, or, where it never was, its name.

    Raises `NameTaken` where that name is another project's, as are the files under it.
    """
    if (known := session.registered()) is not None:
        return known
    path = session.config()
    name = read_config(path).name
    other = session.registry().get(name)
    if other is not None and Path(other).exists():
        raise NameTaken(name, str(path), other)
    return name


def log_files(session: Session, tasks: Iterable[str]) -> dict[str, Path]:
    """Return the log of each of `tasks`, or of all; of a removed task, if it is still there.

    Raises `TaskNotFound`. A taskmux.toml that is gone or wrong hides no log.
    """
    name = session_id(session)
    left = {log.stem: log for log in sorted(session.home.glob(f"projects/{name}/logs/*.log"))}
    try:
        tables = _tables(session, name)
    except TaskmuxError:
        if not left:
            raise
        tables = {}
    known = left | tables
    if unknown := [task for task in tasks if task not in known]:
        raise TaskNotFound(unknown[0], tables or left)
    return {task: known[task] for task in dict.fromkeys(tasks) or tables or left}


def known_task(session: Session, task: str | None) -> str | None:
    """Return `task` if it is one of the project, or was; raise `TaskNotFound` otherwise."""
    if task is not None:
        log_files(session, [task])
    return task


def _tables(session: Session, name: str) -> dict[str, Path]:
    path = session.config()
    return {
        task.name: paths.log_file(path.parent, task.log_file)
        if task.log_file is not None
        else paths.log(session.home, name, task.name)
        for task in read_config(path).tasks.values()
    }
