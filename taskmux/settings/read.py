"""What each key of the host config may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from taskmux.errors import HostConfigWrong
from taskmux.toml import Keys, Unknown, Wrong, dotted
from taskmux.toml.numbers import duration, whole
from taskmux.toml.tables import each, free_table, table
from taskmux.toml.words import address, boolean, choice, hostname, offer, text, texts
from taskmux.toml.wrong import Reader, shown

from .model import Authority, Settings


def _absolute(value: Any) -> str:
    found = text(value)
    if not found.startswith("/"):
        raise Wrong(f"{shown(found)} is not an absolute path")
    return found


_PORT = whole(0, 65535)

FIELDS: dict[str, Reader[Any]] = {
    "health_check_interval": duration(0.05),
    "api_port": _PORT,
    "auto_inject_agents": boolean,
    "host_resolver": offer,
    "dns_server_port": _PORT,
    "dns_managed_tld": hostname,
    "dns_install": boolean,
    "proxy_enabled": boolean,
    "proxy_https_port": _PORT,
    "proxy_bind": address,
    "proxy_http_redirect_port": _PORT,
    "hosts_file": _absolute,
    "ca": choice(Authority),
    "hook_timeout": duration(0.05),
    "tunnel": each(free_table, offer),
    "plugin": each(free_table, offer),
    "plugins": table({"disabled": texts}),
}

FREE = {"tunnel", "plugin"}
"""Tables of tables whose keys are a plugin's to know."""


def read(document: dict[str, Any], withheld: tuple[str, ...] = ()) -> Settings:
    """Return what a decoded host config says; raise `HostConfigWrong` for the first fault."""
    try:
        found = table(FIELDS)(document)
    except Wrong as wrong:
        raise complaint(wrong) from None
    given = frozenset(keys for keys, _ in leaves((), found))
    disabled = tuple(found.pop("plugins", {}).get("disabled", ()))
    return Settings(**found, disabled_plugins=disabled, given=given, withheld=withheld)


def complaint(wrong: Wrong) -> HostConfigWrong:
    """Return what to raise for a key that cannot be meant."""
    hint = wrong.hint
    if isinstance(wrong, Unknown) and hint is None:
        hint = f"known here: {', '.join(sorted(wrong.known))}"
    return HostConfigWrong(dotted(wrong.keys) or None, wrong.why, hint)


def leaves(keys: Keys, value: Any) -> Iterator[tuple[Keys, Any]]:
    """Yield every value below `keys` that is not a table, with its path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves((*keys, key), item)
    else:
        yield keys, value
