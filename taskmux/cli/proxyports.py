"""What `doctor` sees of the ports that the proxy is to have. It tries them, and keeps none."""

from __future__ import annotations

import errno
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote

from taskmux.daemon.occupant import holder_of
from taskmux.daemon.privileged.person import PATH
from taskmux.daemon.privileged.sockets import Place, absent, addresses, trial
from taskmux.settings import Settings
from taskmux.wire import Finding

LOW = 1024
"""Where the ports begin that anybody may bind, unless the system was told otherwise."""


def proxy_ports(
    settings: Settings, held: Sequence[tuple[str, int]], environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield a finding of each port that is wanted; the daemon holds those places already."""
    if not settings.proxy_enabled:
        return
    https, http = settings.proxy_https_port, settings.proxy_http_redirect_port
    places = [Place("https", one, https) for one in addresses(settings.proxy_bind)]
    allowing = _allowing(min(filter(None, (https, http)), default=LOW), environ)
    if https:
        yield port("proxy_https_port", places, held, allowing)
    if http:
        places = [Place("http", one.address, http) for one in places]
        yield port("proxy_http_redirect_port", places, held, None)


def port(
    setting: str, places: Sequence[Place], held: Sequence[tuple[str, int]], allowing: str | None
) -> Finding:
    """Look whether a port can be bound at all its places, or is held by the daemon.

    `allowing` says how it can be, where it may not; None where nobody misses it.
    """
    number = places[0].port
    name = f"port {number}"
    rest = [place for place in places if (place.address, place.port) not in held]
    for place in rest:
        error = trial(place)
        if error is None or absent(place, error):
            continue
        if error.errno == errno.EADDRINUSE:
            who, fix = holder_of(number), _freeing(setting, number)
            return Finding(name, ok=False, detail=f"{who or 'somebody else'} has {place}", fix=fix)
        said = f"{place} may not be bound: {error.strerror}"
        return Finding(name, ok=allowing is None, detail=said, fix=allowing)
    said = "free, and may be bound" if rest else "the daemon holds it"
    return Finding(name, ok=True, detail=said)


def _freeing(setting: str, number: int) -> str:
    seeing = f"sudo lsof -nP -iTCP:{number} -sTCP:LISTEN"
    if sys.platform == "linux":
        seeing = f"sudo ss -ltnp 'sport = :{number}'"
    other = 8443 if setting == "proxy_https_port" else 0
    return f"stop it (`{seeing}` shows it), or run `taskmux config set {setting} {other}`"


def _allowing(lowest: int, environ: Mapping[str, str]) -> str:
    """Say how ports from `lowest` on can be bound."""
    ours = program(shutil.which("taskmux", path=environ.get("PATH")))
    ways = [f"`sudo {ours} daemon restart`"]
    ways.append("`taskmux config set proxy_https_port 8443`")
    if sys.platform == "linux":
        ways.append(f"`sudo sysctl net.ipv4.ip_unprivileged_port_start={lowest}`")
        ways.append(capable(Path(sys.executable)))
    return f"run {', or '.join(ways)}"


def capable(python: Path) -> str:
    """Say how this Python alone can bind them. A link's file is that of other programs as well."""
    if python.is_symlink() or sys.prefix == sys.base_prefix:
        return f"give taskmux a Python of its own for `setcap`: {python.resolve()} is others' too"
    place = quote(str(python))
    return f"`sudo setcap cap_net_bind_service=+ep {place}` (all that this Python runs may then)"


def program(found: str | None) -> str:
    """Return what `sudo` finds us by, which looks in the system's folders alone. Pure."""
    if found is None:
        return f"{quote(sys.executable)} -P -m taskmux"
    return "taskmux" if found.rpartition("/")[0] in PATH.split(":") else quote(found)
