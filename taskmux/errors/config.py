"""Errors of the files people write: taskmux.toml and the host config."""

from __future__ import annotations

from collections.abc import Iterable

from .root import TaskmuxError, closest


class NoConfig(TaskmuxError):
    """No taskmux.toml in this folder or above; `session` was registered from here once."""

    code = "E100"
    exit_status = 2

    def __init__(self, folder: str, session: str | None = None) -> None:
        hint = 'create one: name = "shop" and [tasks.web] with command = "…"'
        if session is not None:
            hint = f"its tasks may still run: add `--project {session}`"
        super().__init__(f"no taskmux.toml in {folder} or above it", hint=hint, path=folder)


class InvalidToml(TaskmuxError):
    """The file is not TOML. `line` and `column` count from 1."""

    code = "E101"
    exit_status = 2

    def __init__(self, path: str, why: str, line: int | None, column: int | None) -> None:
        place = "" if line is None else f" at line {line}, column {column}"
        sentence = f"{path} is not valid TOML{place}: {why}"
        super().__init__(sentence, path=path, line=line, column=column)


class UnknownKey(TaskmuxError):
    """A key that means nothing here; `key` is its whole path: `tasks.api.comand`."""

    code = "E102"
    exit_status = 2

    def __init__(self, path: str, key: str, line: int | None, known: Iterable[str]) -> None:
        known = sorted(known)
        hint = closest(key.rpartition(".")[2], known) or f"known here: {', '.join(known)}"
        place = "" if line is None else f", line {line}"
        super().__init__(f"unknown key {key} in {path}{place}", hint=hint, key=key, line=line)


class InvalidValue(TaskmuxError):
    """A key whose value cannot be meant. `why` completes "… is wrong: "."""

    code = "E103"
    exit_status = 2

    def __init__(
        self, path: str, key: str, line: int | None, why: str, hint: str | None = None
    ) -> None:
        place = "" if line is None else f", line {line}"
        sentence = f"{key} in {path}{place} is wrong: {why}"
        super().__init__(sentence, hint=hint, key=key, line=line)


class HostConfigWrong(TaskmuxError):
    """An unknown key or a wrong value in the host config; without `key`, the file itself."""

    code = "E104"
    exit_status = 2

    def __init__(self, key: str | None, why: str, hint: str | None = None) -> None:
        place = "the host config" if key is None else f"{key} in the host config"
        super().__init__(f"{place} is wrong: {why}", hint=hint, key=key)


class FileExists(TaskmuxError):
    """A file that would have to be overwritten."""

    code = "E105"
    exit_status = 2

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} exists already", hint="edit it, or remove it first", path=path)


class NotWritten(TaskmuxError):
    """A file that people write and we were to edit cannot be written; it is as it was."""

    code = "E107"
    exit_status = 2

    def __init__(self, path: str, why: str) -> None:
        hint = "see who may write it, and its folder: it is replaced as a whole"
        super().__init__(f"{path} cannot be written: {why}", hint=hint, path=path)


class EmptyConfig(TaskmuxError):
    """A taskmux.toml that had tasks has become empty: it is not taken, and they go on."""

    code = "E108"
    exit_status = 2

    def __init__(self, path: str) -> None:
        hint = "write `name = …` into it to have no tasks, or `taskmux daemon unregister` it"
        super().__init__(f"{path} is empty", hint=hint, path=path)


class TaskExists(TaskmuxError):
    """`add` never overwrites a task."""

    code = "E106"
    exit_status = 2

    def __init__(self, task: str) -> None:
        hint = f"edit taskmux.toml, or run `taskmux remove {task}` first"
        super().__init__(f"task {task!r} is in taskmux.toml already", hint=hint, task=task)
