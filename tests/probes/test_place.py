from __future__ import annotations

import pytest

from taskmux.probes.place import Place, parse_url

LOOPBACK = ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://localhost:$PORT", Place(False, "localhost", 23417, "/", "localhost:23417")),
        ("http://localhost:${PORT}/a?b=$PORT", Place(False, "localhost", 23417, "/a?b=23417", "…")),
        ("http://127.0.0.1:1/$PORTAL", Place(False, "127.0.0.1", 1, "/$PORTAL", "127.0.0.1:1")),
        ("https://shop.localhost", Place(True, "shop.localhost", 443, "/", "shop.localhost")),
        ("http://Example.ORG/é%20#top", Place(False, "example.org", 80, "/%C3%A9%20", "…")),
        ("http://[::1]:$PORT/", Place(False, "::1", 23417, "/", "[::1]:23417")),
    ],
)
def test_parse_url(url: str, place: Place) -> None:
    found = parse_url(url, 23417)
    assert (found.tls, found.host, found.port) == (place.tls, place.host, place.port)
    assert found.target == place.target
    assert place.authority in {found.authority, "…"}


def test_a_name_and_a_password_become_a_login() -> None:
    place = parse_url("http://me:p%40ss@localhost/", 1)
    assert (place.authority, place.login) == ("localhost", "Basic bWU6cEBzcw==")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000/health",
        "ftp://localhost/",
        "http://",
        "http:///health",
        "http://localhost:0/",
        "http://localhost:99999/",
        "http://localhost:web/",
        "http://[::1/",
        "http://a..b/",
        "http://localhost/two words",
        "http://localhost/\r\nX: y",
        "",
    ],
)
def test_what_is_no_address_is_refused_in_our_words(url: str) -> None:
    with pytest.raises(
        ValueError, match=r"^health_url .* is not like http://localhost:\$PORT/health$"
    ):
        parse_url(url, 1)


@pytest.mark.parametrize(
    ("host", "addresses", "local"),
    [
        ("localhost", LOOPBACK, True),
        ("api.shop.localhost", LOOPBACK, True),
        ("127.0.0.53", ("127.0.0.53",), True),
        ("[::1]", ("::1",), True),
        ("0.0.0.0", ("0.0.0.0",), True),
        ("192.168.0.7", ("192.168.0.7",), False),
        ("notlocalhost", ("notlocalhost",), False),
    ],
)
def test_what_is_on_this_machine(host: str, addresses: tuple[str, ...], local: bool) -> None:
    place = parse_url(f"https://{host}/", 1)
    assert (place.addresses, place.local) == (addresses, local)
