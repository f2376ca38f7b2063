from __future__ import annotations

import pytest

from taskmux.routes import Holder, Urls, hostname, hostnames, owner, place, shared_out


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


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("shop.localhost", ("", "shop")),
        ("api.shop.localhost", ("api", "shop")),
        ("a.b.shop.localhost", ("a.b", "shop")),
        ("shop-fix-login.localhost", ("", "shop-fix-login")),
        ("my_tenant.shop.localhost", ("my_tenant", "shop")),
        (f"{'a' * 63}.shop.localhost", ("a" * 63, "shop")),
        (f"{'a' * 64}.shop.localhost", None),
        (f"{'a.' * 120}shop.localhost", None),
        ("localhost", None),
        (".localhost", None),
        (".shop.localhost", None),
        ("a..shop.localhost", None),
        ("shop.localhost.", None),
        ("shop.localhost.evil.example", None),
        ("shop.example", None),
        ("-a.shop.localhost", None),
        ("a-.shop.localhost", None),
        ("evil.example/.shop.localhost", None),
        ("a@shop.localhost", None),
        ("a shop.localhost", None),
        ("SHOP.localhost", None),
        ("b\u00fccher.shop.localhost", None),
        ("127.0.0.1", None),
        ("", None),
    ],
)
def test_the_place_of_a_name(name: str, found: tuple[str, str] | None) -> None:
    assert place(name) == found


HOSTS = {"@": "web", "api": "api", "*": "tenants"}


@pytest.mark.parametrize(
    ("before", "hosts", "who"),
    [
        ("api", HOSTS, "api"),
        ("", HOSTS, "web"),
        ("acme", HOSTS, "tenants"),
        ("acme.eu", HOSTS, "tenants"),
        ("v1.api", HOSTS, "tenants"),
        ("", {"*": "tenants"}, None),
        ("@", {"@": "web"}, "web"),
        ("acme", {"@": "web", "api": "api"}, None),
        ("api", {}, None),
    ],
)
def test_whose_name_it_is(before: str, hosts: dict[str, str], who: str | None) -> None:
    assert owner(before, hosts) == who


def test_a_task_goes_before_an_alias() -> None:
    found = shared_out({"api": "a", "@": "web"}, {"api": "old", "*": "rest", "x": "x"})
    assert found == {
        "api": Holder("a"),
        "@": Holder("web"),
        "*": Holder("rest", alias=True),
        "x": Holder("x", alias=True),
    }


@pytest.mark.parametrize(
    ("port", "host", "url"),
    [
        (443, "api", "https://api.shop.localhost"),
        (443, "@", "https://shop.localhost"),
        (8443, "api", "https://api.shop.localhost:8443"),
        (8443, "*", None),
        (8443, None, None),
        (None, "api", None),
    ],
)
def test_the_url_of_a_host(port: int | None, host: str | None, url: str | None) -> None:
    assert Urls(port).of("shop", host) == url
