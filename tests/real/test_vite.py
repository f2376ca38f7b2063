"""Vite 7 behind the proxy, in Chromium: certificates, WebSockets and many small files at once."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from itertools import count
from pathlib import Path

import pytest
from anyio import fail_after, to_thread

from tests.browser import CHROMIUM, MISSING, browser
from tests.e2e.site import Site

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason=MISSING),
    pytest.mark.skipif(
        shutil.which("certutil") is None, reason="there is no certutil, from NSS, on this machine"
    ),
]

MODULES = 1000
TASK = """
[tasks.web]
command = "node_modules/.bin/vite --port $PORT --strictPort"
host = "web"
"""

ONCE = """
new Promise((seen) => {{
  const tell = () => {{
    if (document.body && document.body.dataset.said === '{said}') {{
      seen(JSON.stringify({{
        kept: window.kept === true,
        secure: window.isSecureContext,
        url: location.href,
        protocols: performance.getEntriesByType('resource').map((one) => one.nextHopProtocol),
      }}));
    }} else {{
      setTimeout(tell, 20);
    }}
  }};
  tell();
}})
"""


@pytest.fixture
async def web(site: Site, vite: Path) -> str:
    """The address of a project of Vite's that runs."""
    site.write(TASK)
    (site.folder / "node_modules").symlink_to(vite / "node_modules")
    (site.folder / "package.json").write_text('{"type": "module"}')
    page = "<!doctype html><body><script type=module src=/main.js></script>"
    (site.folder / "index.html").write_text(page)
    (site.folder / "main.js").write_text(main("first"))
    await to_thread.run_sync(site.ask, "start")
    trust(site.home / "ca" / "root.pem", site.home.parent)
    url: str = site.tasks()["web"]["url"]
    return url


def main(said: str) -> str:
    return f"document.body.dataset.said = '{said}'\nimport.meta.hot.accept()\n"


def trust(root: Path, home: Path) -> None:
    """Have browsers that live in `home` trust an authority."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    place = f"sql:{store}"
    for command in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "taskmux", "-i", str(root)],
    ):
        subprocess.run(["certutil", "-d", place, *command], check=True)


async def test_an_edit_is_seen_at_once_and_without_a_reload(site: Site, web: str) -> None:
    with fail_after(120):
        async with browser(web, site.home.parent) as screen:
            first = await screen.evaluate(ONCE.format(said="first"))
            assert (first["url"], first["secure"]) == (f"{web}/", True)
            await screen.evaluate("Promise.resolve(JSON.stringify(window.kept = true))")
            await connected(site)
            (site.folder / "main.js").write_text(main("second"))
            assert (await screen.evaluate(ONCE.format(said="second")))["kept"]


async def connected(site: Site) -> None:
    """Return when the page's WebSocket has reached Vite."""
    port = site.tasks()["web"]["port"]
    command = ["ss", "-Htn", "state", "established", f"sport = :{port}"]
    for _ in count():
        if await asyncio.to_thread(subprocess.check_output, command):
            return
        await asyncio.sleep(0.05)


async def test_a_thousand_modules_come_over_one_connection(site: Site, web: str) -> None:
    names = [f"m{number}.js" for number in range(MODULES)]
    for name in names:
        (site.folder / name).write_text("window.count = (window.count || 0) + 1\n")
    imports = "".join(f"import './{name}'\n" for name in names)
    (site.folder / "main.js").write_text(f"{imports}document.body.dataset.said = window.count\n")
    with fail_after(120):
        async with browser(web, site.home.parent) as screen:
            found = await screen.evaluate(ONCE.format(said=MODULES))
    assert set(found["protocols"]) == {"h2"}


NODE_CLIENT = """
const { WebSocket } = require('ws');
const lookup = (name, options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
const socket = new WebSocket(process.argv[1], process.argv[2], { lookup });
socket.on('open', () => console.log(JSON.stringify(socket.protocol)) || socket.close());
socket.on('error', (error) => { console.log(JSON.stringify(error.message)); process.exit(1); });
"""


async def test_a_program_of_node_s_reaches_it_and_trusts_it(
    site: Site, web: str, vite: Path
) -> None:
    environ = {"NODE_EXTRA_CA_CERTS": str(site.home / "ca" / "root.pem")}
    address = web.replace("https", "wss")
    done = await asyncio.to_thread(
        subprocess.run,
        ["node", "-e", NODE_CLIENT, address, "vite-ping"],
        cwd=vite,
        env=site.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert json.loads(done.stdout) == "vite-ping", done.stderr
