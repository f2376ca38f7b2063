"""Requests through the proxy, next to other proxies in front of the same server."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from taskmux import paths, wire
from taskmux.trust.authority import own
from taskmux.trust.issue import make_leaf

from . import rivals
from .daemon import Daemon, running
from .figure import Figure, Limit, at_least, at_most
from .rounds import Comparison, percentile
from .scale import Scale

NAME = "api.bench.localhost"
SETTINGS = "proxy_https_port = 0\nproxy_http_redirect_port = 0\nhost_resolver = 'noop'\n"
CONNECTIONS = 16
WARM_UP = 0.5


@dataclass(frozen=True, slots=True)
class Contender:
    """A proxy, and what was measured of it, round by round."""

    name: str
    port: int
    rates: list[float] = field(default_factory=list)
    """Small requests a second."""

    slowest: list[float] = field(default_factory=list)
    """Milliseconds that 99 of 100 of them take at most."""

    streams: list[float] = field(default_factory=list)
    """Megabytes a second of a large one."""


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the rate and the slowness of small requests, and the rate of a large one."""
    if shutil.which("h2load") is None:
        print("nothing compared: there is no `h2load` (nghttp2-client)", file=sys.stderr)
        return
    command = f"exec {shlex.quote(sys.executable)} -m bench.upstream $PORT"
    folder = str(Path(__file__).parent.parent)
    table = (
        f'[tasks.api]\ncommand = "{command}"\nhost = "api"\nenv = {{ PYTHONPATH = "{folder}" }}\n'
    )
    with running(table, SETTINGS) as daemon, ExitStack() as stack:
        daemon.start("api")
        ours, others = _contenders(daemon, stack)
        turn = [ours, *others]
        for _ in range(scale.proxy_rounds):
            turn.append(turn.pop(0))
            for contender in turn:
                _load(contender, scale.proxy_seconds)
                _stream(contender, scale.proxy_stream)
        for other in others:
            yield from _figures(ours, other, scale)


def _contenders(daemon: Daemon, stack: ExitStack) -> tuple[Contender, list[Contender]]:
    report = daemon.client.status(wire.Status(config=daemon.config))
    assert report.proxy is not None
    assert report.proxy.port is not None, report.proxy
    port = report.tasks[0].port
    assert port is not None
    authority = own(paths.authority(daemon.home), ("localhost",))
    leaf, key = make_leaf(authority, (NAME,), datetime.now(UTC))
    case = rivals.Case(NAME, port, leaf, key)
    found = {
        "Caddy": stack.enter_context(rivals.caddy(case)),
        "portless": stack.enter_context(rivals.portless(case)),
    }
    others = [Contender(name, port) for name, port in found.items() if port is not None]
    return Contender("taskmux", report.proxy.port), others


def _figures(ours: Contender, other: Contender, scale: Scale) -> Iterator[Figure]:
    """Yield what is held against Caddy; of the other, the rate alone."""
    of_caddy = other.name == "Caddy"
    yield _figure(
        f"small requests, {CONNECTIONS} connections over TLS, to {other.name}",
        Comparison(tuple(ours.rates), tuple(other.rates)),
        "/s",
        at_least(1.0 if of_caddy else 1.5),
    )
    yield _figure(
        "… 99 of 100 take at most",
        Comparison(tuple(ours.slowest), tuple(other.slowest)),
        " ms",
        at_most(1.0) if of_caddy else None,
    )
    yield _figure(
        f"… a body of {scale.proxy_stream / 1e6:.0f} MB",
        Comparison(tuple(ours.streams), tuple(other.streams)),
        " MB/s",
        at_least(0.8) if of_caddy else None,
    )


def _figure(subject: str, found: Comparison, unit: str, limit: Limit | None) -> Figure:
    return Figure(
        subject=subject,
        value=found.ratio,
        limit=limit,
        ours=f"{median(found.ours):.4g}{unit}",
        bare=f"{median(found.bare):.4g}{unit}",
        spread=found.spread,
    )


def _load(contender: Contender, seconds: float) -> None:
    """Ask for small answers as fast as they come."""
    with TemporaryDirectory() as place:
        log = Path(place) / "log"
        said = _h2load(
            contender,
            f"--clients={CONNECTIONS}",
            f"--duration={seconds * 1000:.0f}ms",
            f"--warm-up-time={WARM_UP * 1000:.0f}ms",
            f"--log-file={log}",
            "/",
        )
        rows = [line.split() for line in log.read_text().splitlines()]
    assert all(row[1] == "200" for row in rows), said
    contender.rates.append(len(rows) / seconds)
    contender.slowest.append(percentile([int(row[2]) / 1000 for row in rows], 0.99))


def _stream(contender: Contender, size: int) -> None:
    """Ask for one large answer."""
    began = time.perf_counter()
    said = _h2load(contender, "--clients=1", "--requests=1", f"/{size}")
    contender.streams.append(size / 1e6 / (time.perf_counter() - began))
    assert re.search(r"\b1 2xx\b", said), said


def _h2load(contender: Contender, *options: str) -> str:
    *chosen, path = options
    where = f"--connect-to=127.0.0.1:{contender.port}"
    url = f"https://{NAME}:{contender.port}{path}"
    command = ["h2load", "--h1", "--threads=1", where, *chosen, url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
