"""What a project is and where its files are, for commands that ask no daemon."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from taskmux import paths
from taskmux.errors import InvalidToml, NoConfig, TaskmuxError, TaskNotFound
from taskmux.project import ProjectConfig, parse

from .session import Session


def read_config(path: Path) -> ProjectConfig:
    """Return what a taskmux.toml says; raise the error that says what is wrong with it."""
    try:
        return parse(path.read_bytes().decode(), str(path))
    except (FileNotFoundError, NotADirectoryError):
        raise NoConfig(str(path.parent)) from None
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is not UTF-8"
        raise InvalidToml(str(path), why, None, None) from None
    except OSError as error:
        why = f"it cannot be read: {error.strerror}"
        raise InvalidToml(str(path), why, None, None) from None


def session_id(session: Session) -> str:
    """Return the project's id: as registered, or, where it never was, its name."""
    return session.registered() or read_config(session.config()).name


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
        task.name: path.parent / Path(task.log_file).expanduser()
        if task.log_file is not None
        else paths.log(session.home, name, task.name)
        for task in read_config(path).tasks.values()
    }
