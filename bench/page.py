"""A page of many modules, unbundled as development servers serve it, in a browser."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

import anyio

from taskmux import wire
from tests.browser import CHROMIUM, MISSING, Screen, browser

from .daemon import Daemon, running
from .figure import Figure, at_most
from .rounds import Comparison
from .scale import Scale

MODULES = 1000
FETCH = 120.0
"""Seconds that npm may take."""

SETTINGS = "proxy_https_port = 0\nproxy_http_redirect_port = 0\nhost_resolver = 'noop'\n"
TASK = """
[tasks.web]
command = "node_modules/.bin/vite --port $PORT --strictPort"
host = "web"
"""

TOOK = """
new Promise((seen) => {{
  const look = () => {{
    if (location.search === '?{mark}' && window.took) {{
      seen(JSON.stringify([window.took, window.count]));
    }} else {{
      setTimeout(look, 10);
    }}
  }};
  look();
}})
"""


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield how long a page of a thousand modules takes, next to the same without the proxy."""
    if CHROMIUM is None:
        print(f"no page measured: {MISSING}", file=sys.stderr)
        return
    with running(TASK, SETTINGS) as daemon:
        if not _fetched(daemon.folder):
            print("no page measured: npm cannot get Vite", file=sys.stderr)
            return
        _write(daemon.folder)
        daemon.start("web")
        found = anyio.run(partial(_rounds, daemon, scale.page_rounds))
    yield Figure(
        subject=f"a page of {MODULES} modules, Vite in Chromium, to no proxy",
        value=found.ratio,
        limit=at_most(1.2),
        ours=f"{median(found.ours):.0f} ms",
        bare=f"{median(found.bare):.0f} ms",
        spread=found.spread,
    )


def _fetched(folder: Path) -> bool:
    npm = shutil.which("npm")
    if npm is None:
        return False
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "vite@7"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=FETCH)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


def _write(folder: Path) -> None:
    for number in range(MODULES):
        text = f"export default {number}\nwindow.count = (window.count || 0) + 1\n"
        (folder / f"m{number}.js").write_text(text)
    imports = "".join(f"import './m{number}.js'\n" for number in range(MODULES))
    (folder / "main.js").write_text(f"{imports}window.took = performance.now()\n")
    page = "<!doctype html><body><script type=module src=/main.js></script>"
    (folder / "index.html").write_text(page)


async def _rounds(daemon: Daemon, rounds: int) -> Comparison:
    [task] = daemon.client.status(wire.Status(config=daemon.config)).tasks
    assert task.url is not None
    # Chromium knows no authority of a home that is made for this; it is not asked to.
    unknown = "--ignore-certificate-errors"
    took: list[tuple[float, float]] = []
    async with browser("about:blank", daemon.home.parent, unknown) as screen:
        await screen.forget()
        for number in range(-1, rounds):  # the first makes Vite ready
            pair = [
                await _visit(screen, url, f"{number}")
                for url in (task.url, f"http://localhost:{task.port}")
            ]
            took.append((pair[0], pair[1]))
    ours, bare = zip(*took[1:], strict=True)
    return Comparison(ours, bare)


async def _visit(screen: Screen, url: str, mark: str) -> float:
    """Return how many milliseconds a page takes until its last module has run."""
    mark = f"{mark}{url[:5]}".replace(":", "")
    await screen.visit(f"{url}/?{mark}")
    took, count = await screen.evaluate(TOOK.format(mark=mark))
    assert count == MODULES
    return float(took)
