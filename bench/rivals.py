"""Other proxies that lead a name to a port, set up for the same name with the same certificate."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

PATIENCE = 30.0
"""Seconds that one may take to listen, and to end."""

CADDY = """
{{
    admin off
    auto_https off
}}
https://{name}:{port} {{
    bind 127.0.0.1
    tls {leaf} {key}
    reverse_proxy 127.0.0.1:{target}
}}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """What a rival is set up with: who is asked for, and where that leads."""

    name: str
    target: int
    leaf: bytes
    key: bytes
    """As PEM; the leaf with its chain."""


@contextmanager
def caddy(case: Case) -> Iterator[int | None]:
    """Yield the port where Caddy answers for the name; None if there is no Caddy here."""
    program = shutil.which("caddy")
    if program is None:
        _miss("Caddy: there is no `caddy` in PATH")
        yield None
        return
    with _written(case) as (folder, leaf, key):
        port = _free()
        config = folder / "Caddyfile"
        config.write_text(
            CADDY.format(name=case.name, port=port, leaf=leaf, key=key, target=case.target)
        )
        command = [program, "run", "--adapter", "caddyfile", "--config", str(config)]
        with _spawned(command, {"XDG_DATA_HOME": str(folder)}, port):
            yield port


@contextmanager
def portless(case: Case) -> Iterator[int | None]:
    """Yield the port where portless answers for the name; None if it can't be had here.

    `$PORTLESS` is its command; else it is taken from npm's registry, for this once.
    """
    with _written(case) as (folder, leaf, key):
        program = os.environ.get("PORTLESS") or shutil.which("portless") or _from_npm(folder)
        if program is None:
            _miss("portless: it is not installed, and npm cannot get it")
            yield None
            return
        port = _free()
        kept = {"PORTLESS_STATE_DIR": str(folder / "state"), "PORTLESS_SYNC_HOSTS": "0"}
        kept |= {"PORTLESS_PORT": str(port), "HOME": str(folder), "CI": "1"}
        named = case.name.removesuffix(".localhost")
        alias = [program, "alias", named, str(case.target)]
        start = [program, "proxy", "start", "--foreground", "--skip-trust", "-p", str(port)]
        with _spawned([*start, "--cert", str(leaf), "--key", str(key)], kept, port):
            subprocess.run(alias, env=os.environ | kept, check=True, capture_output=True)
            time.sleep(1)  # it looks at its file of routes when that has not changed for a moment
            yield port


def _from_npm(folder: Path) -> str | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "install", "--silent", "--no-fund", "--no-audit", "portless@0.13"]
    with suppress(subprocess.CalledProcessError, subprocess.TimeoutExpired):
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        return str(folder / "node_modules/.bin/portless")
    return None


def _miss(why: str) -> None:
    print(f"not compared with {why}", file=sys.stderr, flush=True)


@contextmanager
def _written(case: Case) -> Iterator[tuple[Path, Path, Path]]:
    with TemporaryDirectory(prefix="taskmux-bench-") as place:
        leaf, key = Path(place) / "leaf.pem", Path(place) / "key.pem"
        leaf.write_bytes(case.leaf)
        key.touch(mode=0o600)
        key.write_bytes(case.key)
        yield Path(place), leaf, key


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def _spawned(command: Sequence[str], environ: Mapping[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environ,
        start_new_session=True,
    )
    try:
        _await_listener(process, port)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def _await_listener(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"{process.args!r} does not listen")
        time.sleep(0.05)
