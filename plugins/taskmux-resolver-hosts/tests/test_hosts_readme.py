from __future__ import annotations

from pathlib import Path

import pytest
from taskmux_resolver_hosts import trouble
from taskmux_resolver_hosts.place import Place
from taskmux_resolver_hosts.resolver import HostsResolver

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_block_is_as_shown(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.touch()
    resolver = HostsResolver(Place(str(hosts)))
    resolver.prepare_as_root(["shop.localhost", "api.shop.localhost"], {})
    assert f"```text\n{hosts.read_text()}```\n" in README


@pytest.mark.parametrize(
    "said",
    [
        str(trouble.NamesMissing("…", ["api.shop.localhost"], "")),
        str(trouble.Unchangeable("…", "it is marked immutable")),
        str(trouble.Unchangeable("…", "it is a link to …")),
        str(trouble.LeftAlone("…", "it is in UTF-16", "")),
        str(trouble.Untrusted("…", "others than root may write it", "")),
        str(trouble.Busy("…", "keeps a lock on")),
    ],
)
def test_errors_are_worded_as_shown(said: str) -> None:
    assert f"`{said}`" in README
