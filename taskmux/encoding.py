"""JSON of what we say and keep; a file or a process may have a name that is no text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

_encoder = msgspec.json.Encoder(enc_hook=str)


def encode(values: Mapping[str, Any]) -> bytes:
    """Return a JSON object, with a question mark for what is not UTF-8 in its strings."""
    try:
        return _encoder.encode(values)
    except UnicodeEncodeError:
        return _encoder.encode({key: _mended(value) for key, value in values.items()})


def _mended(value: object) -> object:
    if isinstance(value, Raw):  # JSON already
        return value
    plain = msgspec.to_builtins(value, enc_hook=str, str_keys=True)
    return json.loads(json.dumps(plain, ensure_ascii=False).encode(errors="replace"))
