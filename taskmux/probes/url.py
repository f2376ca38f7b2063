"""An HTTP request whose status, and body if asked for, must be as expected."""

from __future__ import annotations

import time
from http.client import HTTPException

from anyio import CapacityLimiter, get_cancelled_exc_class

from taskmux.contracts import Probe, ProbeResult, ProbeTarget, TaskFacts
from taskmux.pattern import BadPattern, Pattern
from taskmux.scarcity import scarce
from taskmux.threads import in_thread

from .elsewhere import Clock, Whereabouts
from .exchange import Answer, Exchange
from .named import check_named
from .place import Place, parse_url
from .words import describe


class UrlProbe:
    """Asks for `health_url`. `clock` returns seconds that only grow."""

    name = "health_url"
    summary = "Ask for health_url; its status, and its body if told so, must be as expected."
    rank = 10

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock

    def applies(self, task: TaskFacts) -> bool:
        """Return whether the table has a `health_url`, which must be one."""
        check_named(task, self.name, needs="health_url")
        if task.health_url:
            parse_url(task.health_url, port=1)
        return bool(task.health_url)

    def prepare(self, target: ProbeTarget) -> Probe:
        """Return what asks once, in a thread of its own so that nobody else waits."""
        task = target.task
        place = parse_url(task.health_url or "", target.port)
        whereabouts = Whereabouts(target, self._clock)
        limiter = CapacityLimiter(1)

        async def ask() -> ProbeResult:
            try:
                return judge(await _get(place, task, limiter), task)
            except TimeoutError:
                return ProbeResult(False, f"no answer within {task.health_timeout:g} s")
            except ConnectionRefusedError as error:
                ours = place.local and place.port == target.port
                why = describe(error)
                return ProbeResult(False, await whereabouts.explain(why) if ours else why)
            except (OSError, HTTPException) as error:
                if scarce(error):
                    raise
                return ProbeResult(False, describe(error))

        return ask


def judge(answer: Answer, task: TaskFacts) -> ProbeResult:
    """Return whether an answer is what the table expects."""
    said = f"HTTP {answer.status}"
    if answer.status != task.health_expected_status:
        return ProbeResult(False, said)
    wanted = task.health_expected_body
    if wanted and not _found(wanted, answer.body):
        return ProbeResult(False, f"{said}, body lacks {wanted!r}")
    return ProbeResult(True, said)


def _found(wanted: str, body: bytes) -> bool:
    if wanted.encode() in body:
        return True
    try:
        return Pattern(wanted).found_in(body)
    except BadPattern:  # then it was meant as it stands
        return False


async def _get(place: Place, task: TaskFacts, limiter: CapacityLimiter) -> Answer:
    exchange = Exchange(place, task.health_timeout, body=bool(task.health_expected_body))
    try:
        return await in_thread(exchange.run, abandon_on_cancel=True, limiter=limiter)
    except get_cancelled_exc_class():
        exchange.abort()  # or its thread would wait out the silence
        raise
