"""One call into a plugin: limited in time, every failure a `PluginFailed`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Thread
from typing import TypeVar

from taskmux.errors import PluginFailed

T = TypeVar("T")

LIMIT = 10.0
"""Seconds a plugin gets for one thing, unless said otherwise."""

SPOKEN = (ImportError, OSError, RuntimeError, ValueError)
"""Built-in exceptions whose text reads as a sentence; others need their name beside it."""


MOST = 1000
"""Characters of what a plugin says that are passed on; whoever says more is cut off."""


class Hung(TimeoutError):
    """The cause of a `PluginFailed` where there was no answer in time."""

    def __init__(self, limit: float) -> None:
        super().__init__(f"no answer within {limit:g} s")


class Thrown(Exception):
    """Stands for what a plugin raised that is no `Exception`: it must not end us as well."""

    def __init__(self, what: BaseException) -> None:
        super().__init__(what)
        self.what = what


@asynccontextmanager
async def guarded(plugin: str, doing: str, limit: float = LIMIT) -> AsyncIterator[None]:
    """Hold one await of a plugin: at most `limit` seconds, every failure a `PluginFailed`.

    `doing` completes "… could not ". Whoever cancels from outside is let through.
    """
    from anyio import move_on_after  # 40 ms that the CLI has no use for

    try:
        with move_on_after(limit) as scope:
            yield
        if scope.cancelled_caught:
            raise Hung(limit)
    except (Exception, SystemExit) as error:
        raise failure(plugin, doing, error) from error


def called(plugin: str, doing: str, work: Callable[[], T], limit: float = LIMIT) -> T:
    """Return what a plugin's `work` returns; every failure is a `PluginFailed`.

    It runs in a thread, which is left to itself after `limit` seconds: nothing
    else bounds an import or a function that never comes back. Ctrl-C is let through;
    it comes to the main thread, so a `KeyboardInterrupt` over there is the plugin's own.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 (a thread has no caller: raised in ours)
            failed.append(error)

    thread = Thread(target=run, name=f"plugin {plugin}", daemon=True)
    try:
        thread.start()
    except RuntimeError as none:  # the system has no thread to give
        raise failure(plugin, doing, none) from none
    thread.join(limit)
    if done:
        return done[0]
    error = failed[0] if failed else Hung(limit)
    raise failure(plugin, doing, error) from error


def failure(plugin: str, doing: str, error: BaseException) -> PluginFailed:
    """Return `error` as people are told of it; its first note is the hint."""
    while isinstance(error, BaseExceptionGroup | Thrown):  # these say nothing of their own
        error = error.what if isinstance(error, Thrown) else error.exceptions[0]
    return PluginFailed(plugin, doing, _sentence(error), hint=_hint(error))


def encodable(said: object) -> str:
    """Return what a plugin says as text that every file and socket of ours takes, not all of it."""
    text = str(said)[: MOST + 1].encode(errors="replace").decode()
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"


def _hint(error: BaseException) -> str | None:
    notes = getattr(error, "__notes__", None)
    return encodable(notes[0]) if isinstance(notes, list) and notes else None


def _sentence(error: BaseException) -> str:
    kind = type(error)
    try:
        said = encodable(error)
    except BaseException:  # noqa: BLE001 (a foreign `__str__` may raise anything; the name will do)
        said = ""
    if said and (isinstance(error, SPOKEN) or kind.__module__ != "builtins"):
        return said
    return f"{kind.__name__}: {said}" if said else kind.__name__
