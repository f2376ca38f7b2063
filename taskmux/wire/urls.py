"""What is answered about URLs. As in `reports`, fields are JSON keys."""

from __future__ import annotations

from msgspec import Struct

from .reached import AliasReport
from .reports import Report


class AliasesReport(Report, frozen=True, kw_only=True):
    """Every alias of a project, in the order in which they came."""

    session: str
    aliases: list[AliasReport]


class AliasChange(Report, frozen=True, kw_only=True):
    """An alias was `added`, `already_added`, or `removed`."""

    ok: bool = True
    session: str
    alias: str
    action: str
    host: str
    port: int
    url: str | None
    """As of `AliasReport`; null once it is removed."""


class UrlReport(Report, frozen=True, kw_only=True):
    """Where a task or an alias is found."""

    name: str
    url: str
    host: str
    """As in taskmux.toml: a label, or `@`."""

    port: int
    """What the proxy passes requests on to."""

    public_url: str | None


class FoundUrl(Struct, frozen=True, kw_only=True):
    """One of several; `url` is null for one that answers to many names, as a host of `*` does."""

    name: str
    url: str | None
    host: str
    port: int
    public_url: str | None


class UrlsReport(Report, frozen=True, kw_only=True):
    """Where the tasks and aliases of a project are found that have a host."""

    session: str
    urls: list[FoundUrl]
