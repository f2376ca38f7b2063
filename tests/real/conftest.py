"""Real software behind the proxy; what is not installed, and cannot be fetched, is skipped."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import make_site
from tests.e2e.site import Site

SETTINGS = """\
api_port = 0
host_resolver = "noop"
proxy_https_port = 0
proxy_http_redirect_port = 0
"""

FETCH = 300
"""Seconds to fetch what a test is about."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A project whose daemon has a proxy, at any port."""
    site = make_site(tmp_path)
    (site.home / "config.toml").write_text(SETTINGS)
    yield site
    site.end()


@pytest.fixture
def context(site: Site) -> ssl.SSLContext:
    """What trusts the site's authority; to be asked for once a task is up."""
    return ssl.create_default_context(cafile=str(site.home / "ca" / "root.pem"))


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has Django, uvicorn and websockets."""
    folder = tmp_path_factory.mktemp("python")
    wanted = ["django>=5,<6", "uvicorn>=0.30", "websockets>=14"]
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=FETCH)
    python = folder / "bin" / "python"
    fetch([str(python), "-m", "pip", "install", "--quiet", *wanted], folder)
    return python


@pytest.fixture(scope="session")
def vite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Vite 7 in its node_modules."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on this machine")
    folder = tmp_path_factory.mktemp("vite")
    fetch(["npm", "install", "--silent", "--no-audit", "--no-fund", "vite@7", "ws@8"], folder)
    return folder


def fetch(command: list[str], folder: Path) -> None:
    """Run a command that fetches packages; skip the test where they cannot be had."""
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=FETCH)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"cannot be fetched here: {error}")
