"""The secret that lets in whoever the kernel can't vouch for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from taskmux.files import remove_unfinished, write_private


@dataclass(frozen=True, slots=True)
class Token:
    """What somebody has to know, and the file that says it."""

    path: Path
    secret: str = field(repr=False)


def renew_token(path: Path) -> Token:
    """Write a new token, for its owner's eyes, in place of the one before, and return it."""
    remove_unfinished(path)
    secret = secrets.token_urlsafe(32)
    write_private(path, f"{secret}\n".encode())
    return Token(path, secret)
