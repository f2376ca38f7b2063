"""Messages as text in and typed values out, and the other way round."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec
from msgspec import UNSET, Raw

from taskmux.encoding import encode
from taskmux.errors import BadRequest, TaskmuxError, UnknownCommand
from taskmux.mailbox import Bulk, Push
from taskmux.wire import COMMANDS, Report, Request

from .wording import complaint

LONGEST = 1024 * 1024
"""Bytes of the longest message anybody may send."""

_KEYS = frozenset({"command", "id", "params"})
_RESERVED = frozenset({"id", "push"})
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_LARGEST = 2**63 - 1

_text = msgspec.json.Decoder(str)
_parts = msgspec.json.Decoder(dict[str, Raw])


@dataclass(frozen=True, slots=True)
class Envelope:
    """What of a message is needed to answer it, whatever else is wrong with it."""

    id: Raw | None = None
    """As it was sent, to the byte; None if there was none."""

    command: str | None = None
    """None if there was none, or it was not a string."""

    parts: dict[str, Raw] | None = None

    def request(self) -> Request:
        """Return what is asked. Raises `BadRequest` or `UnknownCommand`."""
        parts = self.parts or {}
        if self.command is None:
            what = "must be a string" if "command" in parts else "is missing"
            raise BadRequest(f"command {what}", hint='send {"command": "status"}')
        if unknown := sorted(parts.keys() - _KEYS):
            raise BadRequest(
                f"a message has no key {unknown[0]!r}", hint="put what the command takes in params"
            )
        kind = COMMANDS.get(self.command)
        if kind is None:
            raise UnknownCommand(self.command, COMMANDS)
        return _request(kind, bytes(parts.get("params", b"{}")))


def read(message: bytes | str) -> Envelope:
    """Open a message: one JSON object. Raises `BadRequest` if it is anything else."""
    if len(message) > LONGEST:
        raise BadRequest(f"a message may have {LONGEST} bytes at most", hint=None)
    if not message.strip():
        raise BadRequest("the message is empty", hint=None)
    try:
        text = message if isinstance(message, str) else message.decode()
        _check_syntax(text)
        parts = _parts.decode(text)
    except UnicodeError:
        raise BadRequest("the message is not UTF-8", hint=None) from None
    except RecursionError:
        raise BadRequest("the message is nested too deeply", hint=None) from None
    except msgspec.ValidationError:
        raise BadRequest("a message must be a JSON object", hint=None) from None
    except msgspec.DecodeError:
        # All that is left of the grammar: half of a surrogate pair.
        raise BadRequest("a string in the message is not Unicode", hint=None) from None
    return Envelope(parts.get("id"), _command(parts), parts)


def answer(envelope: Envelope, report: Report) -> bytes:
    """Return the message that carries `report`; its own `ok` counts, if it has one."""
    values = {name: getattr(report, name) for name in report.__struct_fields__}
    fields = {key: value for key, value in values.items() if value is not UNSET}
    return _encode(_whose(envelope), {"ok": True} | fields)


def refusal(envelope: Envelope, error: TaskmuxError) -> bytes:
    """Return the message that says why not."""
    said = {
        "ok": False,
        "error": name_of(error),
        "message": str(error),
        "error_code": error.code,
        "hint": error.hint,
    }
    facts = {key: value for key, value in error.facts.items() if key not in _RESERVED}
    return _encode(_whose(envelope), said | facts | said)


def pushes(message: Push | Bulk) -> Sequence[bytes]:
    """Return what of a stream comes together, as messages."""
    return message.messages if isinstance(message, Bulk) else [push(message)]


def push(message: Push) -> bytes:
    """Return one message of a stream."""
    return _encode({"push": message["push"]}, message)


def name_of(error: TaskmuxError) -> str:
    """Return what programs call the error: `unknown_session` for `UnknownSession`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()


def _check_syntax(text: str) -> None:
    # The standard decoder is the one that shows keys given twice; numbers are
    # left alone, so that an id of a thousand digits comes back as it was.
    try:
        json.loads(
            text,
            object_pairs_hook=_unlike,
            parse_constant=_no_constant,
            parse_int=len,
            parse_float=len,
        )
    except json.JSONDecodeError as error:
        raise BadRequest(f"the message is not JSON, from character {error.pos + 1} on") from None


def _unlike(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise BadRequest(f"key {key!r} is there twice", hint=None)
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise BadRequest(f"{name} is not a JSON number", hint=None)


def _command(parts: dict[str, Raw]) -> str | None:
    try:
        return _text.decode(parts.get("command", b"null"))
    except msgspec.ValidationError:
        return None


def _request(kind: type[Request], params: bytes) -> Request:
    if _NUL.search(params.decode()):
        raise BadRequest("a string in params holds a NUL character", hint=None)
    try:
        request = msgspec.json.decode(params, type=kind)
    except msgspec.DecodeError as error:
        raise complaint(str(error), kind.__struct_fields__) from None
    for name in kind.__struct_fields__:
        value = getattr(request, name)
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise BadRequest(f"params.{name} is too large a number", hint=None)
    return request


def _whose(envelope: Envelope) -> dict[str, Any]:
    whose = {"id": envelope.id, "command": envelope.command}
    return {key: value for key, value in whose.items() if value is not None}


def _encode(head: dict[str, Any], fields: Push) -> bytes:
    # The head comes first, and its values are the ones that stay.
    return encode(head | dict(fields) | head)
