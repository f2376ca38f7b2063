from __future__ import annotations

from typing import Any

import pytest
from taskmux_resolver_dns.settings import DnsSettings, SettingWrong, read_settings


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param({}, DnsSettings(5454, "localhost", install=True), id="defaults"),
        pytest.param(
            {"dns_server_port": 53, "dns_managed_tld": ".Shop.Test.", "dns_install": False},
            DnsSettings(53, "shop.test", install=False),
            id="all of them",
        ),
        pytest.param({"hosts_file": "/x", "else": 1}, DnsSettings(), id="others' are not ours"),
        pytest.param(
            {"dns_managed_tld": "xn--bcher-kva"}, DnsSettings(tld="xn--bcher-kva"), id="b"
        ),
    ],
)
def test_settings_are_read(table: dict[str, Any], expected: DnsSettings) -> None:
    assert read_settings(table) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("dns_server_port", value) for value in (0, -1, 65536, "53", 5.0, True, None)],
        *[
            ("dns_managed_tld", value)
            for value in (
                "", ".", "a b", "../x", "a/b", "x\n", "a..b", "-a", "a-", "a_b", "bücher", "*",
                "x" * 64, "a." * 100 + "aa", "127.0.0.1", "1", 7, None,
            )
        ],
        *[("dns_install", value) for value in (0, 1, "true", None)],
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_by_name(key: str, value: object) -> None:
    with pytest.raises(SettingWrong, match=rf"^{key} is .*"):
        read_settings({key: value})
