"""What root has to know of a user's settings and projects, as the user says it: not to be trusted.

The user's files are read by a program that runs as the user; this is its answer.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from taskmux.errors import NotAllowed, Refused, TaskmuxError
from taskmux.routes import TLD

LIMIT = 1_000_000
"""Bytes of an answer; a thousand projects take a tenth of it."""

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"\A{_LABEL}(?:\.{_LABEL})*\Z"

Port = Annotated[int, Meta(ge=0, le=65535)]
Host = Annotated[str, Meta(max_length=253, pattern=_HOST)]
Word = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")]
LONGEST = 1000
"""Characters of anything that is only shown."""

Said = Annotated[str, Meta(max_length=LONGEST)]


class Survey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the user wants prepared. A port of 0 is not wanted."""

    bind: Annotated[str, Meta(max_length=45)]
    https: Port
    http: Port
    resolver: Word
    plugin: Word | None
    """Which plugin offers the resolver; None if nobody does."""

    names: Annotated[list[Host], Meta(max_length=10_000)]
    """Every name of a task."""

    settings: dict[str, Any]
    """The resolver's own; for the resolver to check."""

    running: bool
    """Whether they have a daemon."""

    held: Annotated[list[tuple[Said, Port]], Meta(max_length=100)]
    """Where a daemon of theirs listens already, address and port."""


class _Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    error_code: Annotated[str, Meta(pattern=r"\AE[0-9]{3}\Z")]
    message: Said
    hint: Said | None = None


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    survey: Survey | None = None
    refused: _Refusal | None = None


def write(survey: Survey) -> bytes:
    """Return it as the user's program answers it."""
    return msgspec.json.encode(_Answer(survey=survey))


def refuse(error: TaskmuxError) -> bytes:
    """Return an error as the user's program answers it."""
    hint = None if error.hint is None else error.hint[:LONGEST]
    refusal = _Refusal(error_code=error.code, message=str(error)[:LONGEST], hint=hint)
    return msgspec.json.encode(_Answer(refused=refusal))


def read(answer: bytes) -> Survey:
    """Return what the user's program answered, checked to the letter.

    Raises what it refused with, or `NotAllowed` for anything that it cannot have said.
    """
    try:
        found = msgspec.json.decode(answer, type=_Answer)
        if found.refused is not None:
            raise Refused({**msgspec.to_builtins(found.refused), "ok": False, "error": ""})
        if found.survey is None:
            raise ValueError("there is nothing in it")
        ip_address(found.survey.bind)
    except (ValueError, RecursionError) as error:  # msgspec's own is the former
        raise NotAllowed(f"the user's settings cannot be known: {error}") from None
    if odd := [name for name in found.survey.names if not name.endswith(f".{TLD}")]:
        raise NotAllowed(f"the user's settings cannot be known: {odd[0]!r} does not end in .{TLD}")
    return found.survey
