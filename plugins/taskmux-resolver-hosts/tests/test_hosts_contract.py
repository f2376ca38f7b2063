from __future__ import annotations

import os
from pathlib import Path

import pytest
from taskmux_resolver_hosts.place import Place
from taskmux_resolver_hosts.resolver import HostsResolver

from taskmux.testing import HostResolverContract

USERS = b"127.0.0.1\tlocalhost\n# caf\xe9"


class TestSystemsFile(HostResolverContract):
    def make(self, folder: Path) -> HostsResolver:
        self.hosts = folder / "etc" / "hosts"
        self.hosts.parent.mkdir()
        self.hosts.write_bytes(USERS)
        os.utime(self.hosts, (0, 0))  # nobody seems to be at it, which would be waited for
        return HostsResolver(Place(str(self.hosts)))

    def lookup(self) -> dict[str, str]:
        content = self.hosts.read_bytes()
        assert content.startswith(USERS)
        added = content.removeprefix(USERS).decode().splitlines()
        pairs = (line.split("\t") for line in added if line and not line.startswith("#"))
        return {name: address for address, name in pairs}


class TestFileOfTheUsers(TestSystemsFile):
    @pytest.fixture(autouse=True)
    def here(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self, folder: Path) -> HostsResolver:
        super().make(folder)
        return HostsResolver(Place("/nonexistent/hosts"))

    def settings(self) -> dict[str, str]:
        return {"hosts_file": str(self.folder / "etc" / "hosts")}
