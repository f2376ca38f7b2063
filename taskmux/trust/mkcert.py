"""Where mkcert keeps its authority, and what it calls it. It is another program's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT, KEY = "rootCA.pem", "rootCA-key.pem"


def folder(environ: Mapping[str, str]) -> Path:
    """Return where mkcert keeps its authority."""
    if chosen := environ.get("CAROOT"):
        return Path(chosen)
    if data := environ.get("XDG_DATA_HOME"):
        return Path(data) / "mkcert"
    home = Path(environ.get("HOME") or Path.home())
    mac = sys.platform == "darwin"
    return home / ("Library/Application Support/mkcert" if mac else ".local/share/mkcert")


def name(serial: int) -> str:
    """Return what mkcert calls its root where it has it trusted."""
    return f"mkcert development CA {serial}"
