"""The settings of this resolver, read from what nobody has checked: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class SettingWrong(ValueError):
    """A setting that cannot be meant."""


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """Where we listen, which names are ours, and whether the system may be told."""

    port: int = 5454
    tld: str = "localhost"
    """In lower case, without dots around it. It may have several labels."""

    install: bool = True


def install_options(settings: DnsSettings) -> list[str]:
    """Return what to add to `taskmux dns install` where `settings` are not read: for root."""
    usual, words = DnsSettings(), []
    if settings.port != usual.port:
        words += ["--port", str(settings.port)]
    if settings.tld != usual.tld:
        words += ["--tld", settings.tld]
    return words


def read_settings(table: Mapping[str, Any]) -> DnsSettings:
    """Return what `table` says, defaults filled in; raise `SettingWrong`."""
    usual = DnsSettings()
    return DnsSettings(
        port=_port(table.get("dns_server_port", usual.port)),
        tld=_tld(table.get("dns_managed_tld", usual.tld)),
        install=_boolean(table.get("dns_install", usual.install)),
    )


def _port(value: Any) -> int:
    if type(value) is not int or not 0 < value < 65536:  # True is an int
        raise SettingWrong(f"dns_server_port is {value!r}, and must be a number from 1 to 65535")
    return value


def _tld(value: Any) -> str:
    found = value.strip(".").lower() if isinstance(value, str) else ""
    labels = found.split(".")
    numeric = labels[-1].isdigit()  # 127.0.0.1 is an address
    if numeric or len(found) > 200 or not all(map(LABEL.fullmatch, labels)):
        wrong = SettingWrong(f"dns_managed_tld is {value!r}, which is not the name of a domain")
        wrong.add_note('write it like "localhost" or "test"')
        raise wrong
    return found


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise SettingWrong(f"dns_install is {value!r}, and must be true or false")
    return value
