"""How a system is told to ask us for our names, as text: pure.

    macOS     /etc/resolver/<tld>, which names server and port
    Linux     a drop-in of systemd-resolved; where that is not asked, no domain can be delegated
    Windows   a rule of the name resolution policy, which has no place for a port

Names are delegated system-wide. So only domains that nobody can own on the internet are: whoever
could delegate `com` would answer for every user's banks, and settings are not written by root.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MARK = "# Managed by taskmux: `taskmux dns uninstall` removes this file."
"""The first line of each file of ours. A file without it is never touched."""

PRIVATE = ("localhost", "test", "example", "internal", "home.arpa")
"""Domains set aside for private use, by RFC 6761, RFC 8375 and ICANN."""

HOSTS = 'set `host_resolver = "etc_hosts"` in config.toml, which needs no DNS'

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What there is to know of a system; all but `platform` of Linux."""

    platform: str
    """As in `sys.platform`."""

    nsswitch: str = ""
    """The text of /etc/nsswitch.conf."""

    resolv_conf: str = ""
    resolved: bool = False
    """Whether systemd-resolved is running."""


@dataclass(frozen=True, slots=True)
class Write:
    """Put `content` at `path`; if that changes anything, run `after`."""

    path: str
    content: str
    after: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """Run `command`, which may be run again."""

    command: Command


@dataclass(frozen=True, slots=True)
class Unneeded:
    """The system resolves the names, or asks us, as it is; `why` says so."""

    why: str


@dataclass(frozen=True, slots=True)
class Impossible:
    """The system cannot be made to ask us; `advice` says what to do instead."""

    why: str
    advice: str


Plan = Write | Run | Unneeded | Impossible

_REMOVE_RULES = (
    "Get-DnsClientNrptRule | Where-Object { $_.Comment -eq 'taskmux' } | "
    "Remove-DnsClientNrptRule -Force"
)
_STUBS = {"127.0.0.53", "127.0.0.54"}
_RELOAD_RESOLVED: Command = ("systemctl", "try-restart", "systemd-resolved.service")


def plan(system: Asked, tld: str, port: int) -> Plan:
    """Return how `system` comes to ask 127.0.0.1, at `port`, for all names below `tld`."""
    if not any(tld == domain or tld.endswith(f".{domain}") for domain in PRIVATE):
        known = ", ".join(PRIVATE)
        why = f"{tld} may belong to somebody: no computer should ask taskmux for it"
        return Impossible(why, f"set dns_managed_tld to one of {known}, or a name below one")
    match system.platform:
        case "darwin":
            return Write(f"/etc/resolver/{tld}", _lines("nameserver 127.0.0.1", f"port {port}"))
        case "linux":
            return _linux(system, tld, port)
        case "win32":
            return _windows(tld, port)
        case other:
            return Impossible(f"taskmux knows no way to delegate names on {other}", HOSTS)


def _linux(system: Asked, tld: str, port: int) -> Plan:
    sources = _sources(system.nsswitch)
    servers = _servers(system.resolv_conf)
    asked = "resolve" in sources or not _STUBS.isdisjoint(servers)
    resolved = system.resolved and asked
    if (resolved or "myhostname" in sources) and tld.split(".")[-1] == "localhost":
        return Unneeded(f"systemd resolves {tld} and all below it to this machine already")
    if port == 53 and servers[:1] == ["127.0.0.1"]:
        return Unneeded("/etc/resolv.conf names 127.0.0.1, so everything is asked of us")
    if not resolved:
        why = "this system asks one server for all names: systemd-resolved is not in use"
        return Impossible(why, HOSTS)
    content = _lines("[Resolve]", f"DNS=127.0.0.1:{port}", f"Domains=~{tld}")
    return Write("/etc/systemd/resolved.conf.d/taskmux.conf", content, (_RELOAD_RESOLVED,))


def _windows(tld: str, port: int) -> Plan:
    if port != 53:
        why = f"Windows can ask a DNS server on port 53 only, not on {port}"
        return Impossible(why, f"set `dns_server_port = 53`, or {HOSTS}")
    add = f"Add-DnsClientNrptRule -Namespace '.{tld}' -NameServers '127.0.0.1' -Comment 'taskmux'"
    return Run(_powershell(f"{_REMOVE_RULES}; {add}"))


def folders(platform: str) -> Sequence[str]:
    """Return the folders that may hold a file of ours."""
    known = {"darwin": "/etc/resolver", "linux": "/etc/systemd/resolved.conf.d"}
    return [known[platform]] if platform in known else []


def without_file(platform: str) -> Command | None:
    """Return what takes back a delegation that is in no file; None where all are in files."""
    return _powershell(_REMOVE_RULES) if platform == "win32" else None


def withdrawn(platform: str) -> Sequence[Command]:
    """Return what to run once a file of ours is gone."""
    return [_RELOAD_RESOLVED] if platform == "linux" else []


def flushing(platform: str) -> Sequence[Sequence[Command]]:
    """Return what empties the system's caches of names: of each group, the first that is there."""
    match platform:
        case "darwin":
            return [[("dscacheutil", "-flushcache")], [("killall", "-HUP", "mDNSResponder")]]
        case "linux":
            resolved = [("resolvectl", "flush-caches"), ("systemd-resolve", "--flush-caches")]
            return [resolved, [("nscd", "-i", "hosts")]]
        case "win32":
            return [[("ipconfig", "/flushdns")]]
    return []


def _sources(nsswitch: str) -> list[str]:
    found = re.search(r"^\s*hosts:([^#\n]*)", nsswitch, re.MULTILINE)
    return re.sub(r"\[[^]]*\]", " ", found[1]).split() if found else []


def _servers(resolv_conf: str) -> list[str]:
    return re.findall(r"^\s*nameserver\s+(\S+)", resolv_conf, re.MULTILINE)


def _powershell(script: str) -> Command:
    return ("powershell", "-NoProfile", "-NonInteractive", "-Command", script)


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in (MARK, *lines))
