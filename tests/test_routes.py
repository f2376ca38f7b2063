from __future__ import annotations

import pytest

from taskmux.routes import hostname, hostnames


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("api", "api.shop.localhost"),
        ("@", "shop.localhost"),
        ("*", None),
    ],
)
def test_the_name_of_a_host(host: str, name: str | None) -> None:
    assert hostname("shop", host) == name


def test_all_names_of_a_project() -> None:
    found = hostnames("shop-fix", ["@", None, "*", "api"])
    assert found == ["shop-fix.localhost", "api.shop-fix.localhost"]
