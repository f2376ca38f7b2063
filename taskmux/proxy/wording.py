"""How a page for people puts why nobody answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .directory import Absence


class Tone(StrEnum):
    """How urgent it is, by which a page is coloured."""

    CALM = "calm"
    BUSY = "busy"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Wording:
    """The parts of a page that depend on what happened only."""

    tone: Tone
    label: str
    """A word or two: the state."""

    headline: str


_STATES = {
    "stopped": (Tone.CALM, "is stopped"),
    "waiting": (Tone.BUSY, "is waiting"),
    "starting": (Tone.BUSY, "is starting"),
    "running": (Tone.BAD, "does not answer"),
    "unhealthy": (Tone.BAD, "does not answer"),
    "stopping": (Tone.BUSY, "is stopping"),
    "backoff": (Tone.BAD, "ended, and is about to be restarted"),
    "completed": (Tone.CALM, "is completed"),
    "failed": (Tone.BAD, "failed"),
}

_CODES = {
    "unknown_host": Wording(Tone.CALM, "unknown host", "Nothing has this name"),
    "project_down": Wording(Tone.BAD, "broken", "The project cannot be used"),
    "task_down": Wording(Tone.BAD, "down", "The task does not answer"),
    "alias_down": Wording(Tone.BAD, "down", "Nobody answers behind this alias"),
    "bad_gateway": Wording(Tone.BAD, "bad gateway", "The task's answer cannot be passed on"),
    "misdirected": Wording(Tone.BAD, "misdirected", "This connection is for another project"),
    "loop": Wording(Tone.BAD, "loop", "The tasks ask each other in a circle"),
    "bad_request": Wording(Tone.BAD, "bad request", "This request cannot be understood"),
    "redirect": Wording(Tone.CALM, "moved", "This is answered elsewhere"),
}

_ADVICE = {
    "loop": "a task passes requests on to a name that is its own: have it ask 127.0.0.1 at the"
    " port of the other task, `$TASKMUX_PORT_…`, or change the Host it sends",
    "misdirected": "ask again over a connection of its own: browsers do by themselves",
}


def wording(absence: Absence) -> Wording:
    """Return how to put an absence."""
    task, state = absence.facts.get("task"), str(absence.facts.get("state", ""))
    found = _CODES.get(absence.code, Wording(Tone.BAD, absence.code, "This cannot be answered"))
    if absence.code == "project_down" and "session" in absence.facts:
        return Wording(found.tone, found.label, f"{absence.facts['session']} cannot be used")
    if task is None or state not in _STATES:
        return found
    tone, does = _STATES[state]
    if absence.code == "bad_gateway":
        return Wording(Tone.BAD, found.label, f"{task} gave no usable answer")
    waits_for = absence.facts.get("waits_for")
    if state == "waiting" and waits_for:
        does = f"is waiting for {' and '.join(waits_for)}"
    elif state == "backoff" and absence.facts.get("exit_code") != 0:
        does = "crashed, and is about to be restarted"
    elif absence.facts.get("listening"):
        tone, does = Tone.BAD, "listens on another port"
    return Wording(tone, state, f"{task} {does}")


def advice(absence: Absence) -> str | None:
    """Return what to do about what the proxy found out by itself."""
    return _ADVICE.get(absence.code)


def sentence(absence: Absence) -> str:
    """Return what goes below the headline, without what that says; empty if nothing is left."""
    why, facts = absence.why, absence.facts
    if "task" in facts:
        if facts["state"] == "waiting" and (others := facts.get("waits_for")):
            verb = "is" if len(others) == 1 else "are"
            return f"It starts once {' and '.join(others)} {verb} ready."
        how = f"{facts['task']} is {facts['state']}"
        why = "" if why == how else why.removeprefix(f"{how}: ")
        if why.startswith(f"{how}, and "):
            why = f"it {why.removeprefix(f'{how}, and ')}"
    elif "session" in facts:
        why = why.removeprefix(f"{facts['session']}: ")
    return ended(capital(why))


def ended(text: str) -> str:
    """Return a sentence with a full stop, unless it ends with something else."""
    return f"{text}." if text[-1:].isalnum() or text[-1:] in ("`", '"', "'", ")") else text


def capital(text: str) -> str:
    """Return a sentence with a capital, unless it begins with what is no word."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text
