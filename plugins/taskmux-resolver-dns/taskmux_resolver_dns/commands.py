"""`taskmux dns`: the Typer app."""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import operations
from .settings import DnsSettings, install_options, read_settings
from .system import System

if TYPE_CHECKING:
    from taskmux.contracts import CommandContext

Port = Annotated[int | None, typer.Option(help="Instead of dns_server_port.")]
Tld = Annotated[str | None, typer.Option(help="Instead of dns_managed_tld.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Like api.shop.localhost.")]
Kind = Annotated[str | None, typer.Option("--type", help="Like MX; A and AAAA by default.")]


def dns_app(system: System | None = None) -> typer.Typer:
    """Return the commands, for `system` or the one we run on."""
    said = "Have this system ask taskmux for its host names."
    app = typer.Typer(help=said, add_completion=False, rich_markup_mode=None)
    here = system or System()

    @app.command()
    def install(context: typer.Context, port: Port = None, tld: Tld = None) -> None:
        """Have the system ask taskmux's DNS server, and see whether it does (root)."""
        settings = _settings(context.obj, port, tld)
        command = _as_root(context.obj, "install", settings)
        context.obj.answer(*operations.install(here, settings, command))

    @app.command()
    def uninstall(context: typer.Context) -> None:
        """Take back what `install` did, for any domain (root)."""
        command = _as_root(context.obj, "uninstall", DnsSettings())
        context.obj.answer(*operations.uninstall(here, command))

    @app.command()
    def flush(context: typer.Context) -> None:
        """Empty the system's caches of host names."""
        context.obj.answer(*operations.flush(here))

    @app.command()
    def query(context: typer.Context, name: Name, kind: Kind = None, port: Port = None) -> None:
        """Ask taskmux's DNS server for a name directly, past all caches."""
        kinds = [kind.upper()] if kind else ["A", "AAAA"]
        settings = _settings(context.obj, port, None)
        context.obj.answer(*operations.query(settings, name, kinds))

    return app


def _settings(lent: CommandContext, port: int | None, tld: str | None) -> DnsSettings:
    given: dict[str, Any] = {"dns_server_port": port, "dns_managed_tld": tld}
    changed = {key: value for key, value in given.items() if value is not None}
    return read_settings({**lent.settings, **changed})


def _as_root(lent: CommandContext, verb: str, settings: DnsSettings) -> str:
    # Root has another config.toml and another PATH, so the command carries what it needs.
    found = shutil.which("taskmux", path=lent.environ.get("PATH", ""))
    program = str(lent.cwd / found) if found else "taskmux"
    return shlex.join(["sudo", program, "dns", verb, *install_options(settings)])
