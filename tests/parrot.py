"""A distribution with a plugin, as an installer would have put it there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def install(site: Path, module: str, code: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the plugin `parrot` installed in the folder `site`; return that."""
    wheel = site / "parrot-1.2.dist-info"
    wheel.mkdir(parents=True)
    (site / f"{module}.py").write_text(code)
    (wheel / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot\nVersion: 1.2\n")
    (wheel / "entry_points.txt").write_text(f"[taskmux]\nparrot = {module}\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, module, raising=False)
    return site
