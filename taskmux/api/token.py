"""The secret that lets in whoever the kernel can't vouch for."""

from __future__ import annotations

import secrets
from pathlib import Path

from taskmux.files import remove_unfinished, write_private


def renew_token(path: Path) -> str:
    """Write a new token, for its owner's eyes, in place of the one before, and return it."""
    remove_unfinished(path)
    token = secrets.token_urlsafe(32)
    write_private(path, f"{token}\n".encode())
    return token
