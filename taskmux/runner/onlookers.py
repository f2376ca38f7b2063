"""Those who wait until a task is as they want it."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from taskmux.lifecycle import Task

Wanted = Callable[[Task], bool]


class Onlookers:
    """Each is shown every state, however brief, and goes with the first that it wants."""

    def __init__(self) -> None:
        self._waiting: list[_Onlooker] = []

    async def wait(self, wanted: Wanted) -> Task:
        """Return the first task shown from now on that is `wanted`."""
        onlooker = _Onlooker(wanted)
        self._waiting.append(onlooker)
        try:
            await onlooker.content.wait()
        finally:
            if onlooker in self._waiting:
                self._waiting.remove(onlooker)
        return onlooker.seen

    def show(self, task: Task, *, last: bool = False) -> None:
        """Let go of those who want `task`; of everybody, if it is the `last` there will be."""
        for onlooker in tuple(self._waiting):
            if last or onlooker.wanted(task):
                self._waiting.remove(onlooker)
                onlooker.seen = task
                onlooker.content.set()


class _Onlooker:
    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.content = anyio.Event()
        self.seen = Task()
