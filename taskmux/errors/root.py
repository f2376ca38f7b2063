"""The root of everything a user can put right, and the form its answer takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

FRAME = {"id", "command", "ok", "error", "message", "error_code", "hint"}
"""Keys of an error on the wire that are not facts."""


class TaskmuxError(Exception):
    """An expected failure, worded for the person who must fix it.

    A subclass fixes `code` and builds its own sentence in `__init__`. The
    sentence says what is wrong; `hint`, where there is one, what to do next;
    `facts` what the sentence was made of, by name, for programs.
    """

    code: str
    """E-number. Final once released: programs match on it."""

    exit_status: int = 1

    passing: bool = False
    """Whether the same may be possible a little later, though nobody does anything about it."""

    def __init__(self, sentence: str, *, hint: str | None = None, **facts: object) -> None:
        super().__init__(sentence)
        self.hint = hint
        self.facts = facts

    def answer(self) -> dict[str, object]:
        """Return the JSON object that says this, the same at every door."""
        head = {"ok": False, "error": str(self), "error_code": self.code, "hint": self.hint}
        return head | self.facts


class Refused(TaskmuxError):
    """The daemon's error answer, raised again on this side of the socket."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(answer["message"], hint=answer.get("hint"))
        self.code = answer["error_code"]
        self.facts = {key: answer[key] for key in answer if key not in FRAME}
        by_code = {getattr(kind, "code", ""): kind for kind in TaskmuxError.__subclasses__()}
        self.exit_status = by_code.get(self.code, TaskmuxError).exit_status


def ungrouped(error: Exception) -> Exception:
    """Return what failed, out of the groups it was raised through.

    Of several that failed in the same way, the first; where they differ, the group of them.
    """
    while isinstance(error, ExceptionGroup) and len(set(map(type, error.exceptions))) == 1:
        error = error.exceptions[0]
    return error


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the hint for a misspelt word, `did you mean 'api'?`, or None if none is close."""
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else None
