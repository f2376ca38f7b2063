"""What the bus knows beside the history, for another program of this process to go on with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CarriedBus:
    """Numbers that were given, and events that are in no file."""

    seq: int = 0
    lost: int = 0
    told: int = 0
    """How many of the lost ones an event has spoken of."""

    why: str = ""
    unwritten: tuple[bytes, ...] = ()
