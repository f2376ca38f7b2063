from __future__ import annotations

import re
import tomllib
from pathlib import Path

import typer
from taskmux_resolver_dns import answer, delegation, server
from taskmux_resolver_dns.commands import dns_app
from taskmux_resolver_dns.settings import DnsSettings, read_settings

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_its_settings_are_the_defaults() -> None:
    [block] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    table = tomllib.loads(block)
    assert table.pop("host_resolver") == "dns_server"
    assert len(table) == 3
    assert read_settings(table) == DnsSettings()


def test_its_numbers_are_those_of_the_program() -> None:
    for said in (
        f"remembered for {answer.TTL} seconds",
        f"EDNS allows up to {answer.PAYLOAD})",
        f"{server.MOST_CONNECTIONS} connections",
        f"{server.PATIENCE:g} seconds for each query; {server.MOST_BYTES} bytes",
        *(f"`{domain}`" for domain in delegation.PRIVATE),
    ):
        assert said in README, said


def test_it_names_every_place_and_command() -> None:
    for platform in ("darwin", "linux", "win32"):
        assert all(folder in README for folder in delegation.folders(platform))
        for group in delegation.flushing(platform):
            assert all(f"`{command[0]}" in README for command in group)
        assert all(f"`{' '.join(command)}`" in README for command in delegation.withdrawn(platform))


def test_it_shows_every_command_of_ours() -> None:
    app = typer.main.get_command(dns_app())
    known = {f"dns {name}" for name in getattr(app, "commands", {})}
    assert len(known) == 4
    assert set(re.findall(r"`taskmux (dns \w+)", README)) == known
