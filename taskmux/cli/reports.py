"""What commands answer with that ask no daemon. As in `taskmux.wire`, fields are JSON keys."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from taskmux.wire import Report, UrlReport


class VersionReport(Report, frozen=True, kw_only=True):
    """Which taskmux this is; `protocol` is that of its messages."""

    version: str
    protocol: int


class ParameterHelp(Struct, frozen=True, kw_only=True):
    """Something a command line may or must contain."""

    names: list[str]
    help: str
    required: bool
    repeated: bool
    value: str | None
    """What stands for the value; null for a switch."""

    default: Any


class CommandHelp(Struct, frozen=True, kw_only=True):
    """One command: what it does, and what may follow it."""

    name: str
    aliases: list[str]
    group: str
    summary: str
    arguments: list[ParameterHelp]
    options: list[ParameterHelp]
    examples: list[str]


class HelpReport(Report, frozen=True, kw_only=True):
    """The commands asked about, and the options that go with every command."""

    usage: str
    commands: list[CommandHelp]
    options: list[ParameterHelp]


class CheckReport(Report, frozen=True, kw_only=True):
    """A taskmux.toml without mistakes; one with any is an error."""

    ok: bool = True
    name: str
    config: str
    tasks: list[str]


class Edge(Struct, frozen=True):
    """`task` waits until `needs` is `condition`: `started`, `healthy` or `completed`."""

    task: str
    needs: str
    condition: str


class GraphReport(Report, frozen=True, kw_only=True):
    """Who waits for whom. Each wave can start when the ones before it are ready."""

    name: str
    nodes: list[str]
    edges: list[Edge]
    waves: list[list[str]]


class SettingsReport(Report, frozen=True, kw_only=True):
    """Every host-wide setting, as resolved. Secrets are masked unless asked for."""

    path: str
    settings: dict[str, Any]
    defaults: list[str]
    """Keys the file says nothing about."""


class SettingChange(Report, frozen=True, kw_only=True):
    """A setting was written."""

    ok: bool = True
    path: str
    key: str
    value: Any


class ServiceFile(Struct, frozen=True):
    """A file of the service manager's."""

    path: str
    content: str


class ServiceReport(Report, frozen=True, kw_only=True):
    """What became of the daemon's service, or with `dry_run` would become of it.

    `action` is one of `installed`, `already_installed`, `uninstalled`, `not_installed`.
    """

    ok: bool = True
    action: str
    dry_run: bool
    manager: str
    files: list[ServiceFile]
    """Those that are written, or removed; of the latter, without what is in them."""

    commands: list[list[str]]


class StoreReport(Struct, frozen=True):
    """One place that trusts certificates, or does not.

    `kind` is one of `system`, `Chromium`, `Firefox`, `keychain`; `state` one of `trusted`,
    `not_trusted`, `unknown`.
    """

    kind: str
    place: str
    state: str
    detail: str
    """Why it is so; empty where that is plain."""

    fix: str | None
    """What to type; null where nothing is to be done."""

    commands: list[str]
    """What would be run, with `dry_run`."""


class AuthorityReport(Report, frozen=True, kw_only=True):
    """Who signs the certificates of tasks, and who trusts that; `authority` as the setting `ca`.

    Without one yet, `fingerprint` and `expires` are null.
    """

    authority: str
    root: str
    """The certificate to trust."""

    name: str
    """What it is called where it is trusted."""

    fingerprint: str | None
    """Its SHA-256."""

    expires: str | None
    constraint: list[str]
    """The domains and networks it can sign for; empty if for all."""

    stores: list[StoreReport]


class TrustReport(Report, frozen=True, kw_only=True):
    """What came of having the authority trusted, or not any more, or with `dry_run` would come.

    `action` is `installed` or `uninstalled`; `ok` says whether that is so everywhere.
    """

    ok: bool
    action: str
    dry_run: bool
    authority: str
    root: str
    name: str
    fingerprint: str | None
    certificate: str | None
    """It, as PEM; null if there is none."""

    stores: list[StoreReport]


class MintReport(Report, frozen=True, kw_only=True):
    """A certificate was made. `certificate` has its chain behind it."""

    ok: bool = True
    names: list[str]
    certificate: str
    key: str
    root: str
    """What clients have to trust."""

    expires: str


class PathReport(Report, frozen=True, kw_only=True):
    """Where a file is, whether it exists or not."""

    path: str
    exists: bool


class OpenReport(UrlReport, frozen=True, kw_only=True):
    """A URL was given to a browser; if not `ok`, the rest says why it was not."""

    ok: bool = True
    error: str | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    hint: str | UnsetType | None = UNSET


class SchemaNames(Report, frozen=True, kw_only=True):
    """What `taskmux schema NAME` knows, by kind."""

    commands: dict[str, str]
    """The request of each command of the daemon."""

    reports: list[str]
    files: list[str]


class SchemaReport(Report, frozen=True, kw_only=True):
    """The JSON Schema of one message, or of one file."""

    name: str
    document: dict[str, Any]
