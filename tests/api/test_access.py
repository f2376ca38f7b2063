from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from taskmux.api.access import Rules, Visitor, objection
from taskmux.api.token import Token

RULES = Rules(port=8765, uid=1000, token=Token(Path("/home/me/token"), "secret"))


def visitor(
    hosts: tuple[str, ...] = ("localhost:8765",),
    origins: tuple[str, ...] = (),
    authorizations: tuple[str, ...] = (),
    address: str = "127.0.0.1",
    uid: int | None = 1000,
) -> Visitor:
    return Visitor(hosts, origins, authorizations, address, uid)


def verdict(visitor: Visitor) -> HTTPStatus | None:
    found = objection(visitor, RULES)
    return found and found[0]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8765",
        "LocalHost:8765",
        "127.0.0.1",
        "127.0.0.1:8765",
        "[::1]",
        "[::1]:8765",
    ],
)
def test_a_program_of_the_same_user_comes_in_by_any_of_our_names(host: str) -> None:
    assert verdict(visitor(hosts=(host,))) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8765",
        "localhost.evil.example",
        "localhost.",
        "evil.localhost",
        "0.0.0.0:8765",
        "[::]:8765",
        "::1",
        "[::1%lo]",
        "127.0.0.1.nip.io:8765",
        "127.1:8765",
        "2130706433:8765",
        "127.0.0.1:80",
        "localhost:8766",
        "localhost:08765",
        "user@localhost:8765",
        "localhost:8765, evil.example",
    ],
)
def test_nobody_comes_in_by_a_name_that_is_not_ours_not_even_with_the_token(host: str) -> None:
    knowing = visitor(hosts=(host,), authorizations=("Bearer secret",))
    assert verdict(knowing) is HTTPStatus.FORBIDDEN


def test_there_is_exactly_one_host() -> None:
    assert verdict(visitor(hosts=())) is HTTPStatus.FORBIDDEN
    assert verdict(visitor(hosts=("localhost", "localhost"))) is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_our_own_page_comes_in(name: str) -> None:
    assert verdict(visitor(origins=(f"http://{name}:8765",))) is None


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "https://evil.example",
        "https://localhost:8765",
        "http://localhost",
        "http://localhost:3000",
        "http://0.0.0.0:8765",
        "http://localhost:8765.evil.example",
        "http://localhost:87650",
        "http://localhost:8765/",
        "https://web.shop.localhost",
    ],
)
def test_no_other_page_comes_in_not_even_with_the_token(origin: str) -> None:
    knowing = visitor(origins=(origin,), authorizations=("Bearer secret",))
    assert verdict(knowing) is HTTPStatus.FORBIDDEN


def test_there_is_at_most_one_origin() -> None:
    twice = ("http://localhost:8765", "http://localhost:8765")
    assert verdict(visitor(origins=twice)) is HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("uid", [None, 0, 1001])
@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("Bearer secret", None),
        ("bearer  secret", None),
        ("Bearer wrong", HTTPStatus.UNAUTHORIZED),
        ("Bearer ", HTTPStatus.UNAUTHORIZED),
        ("Bearer secret2", HTTPStatus.UNAUTHORIZED),
        ("Bearer secr\u00e9t", HTTPStatus.UNAUTHORIZED),
        ("Bearer secr\udce9t", HTTPStatus.UNAUTHORIZED),
        ("Basic secret", HTTPStatus.UNAUTHORIZED),
        ("secret", HTTPStatus.UNAUTHORIZED),
    ],
)
def test_another_user_needs_the_token(
    uid: int | None, authorization: str, expected: HTTPStatus | None
) -> None:
    assert verdict(visitor(uid=uid, authorizations=(authorization,))) is expected


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "bearer \t"])
def test_a_token_that_is_missing_is_not_known_to_anybody(authorization: str) -> None:
    house = replace(RULES, token=Token(Path("/home/me/token"), ""))
    found = objection(visitor(uid=1001, authorizations=(authorization,)), house)
    assert found is not None
    assert found[0] is HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("authorizations", [(), ("Bearer secret", "Bearer secret")])
def test_there_is_exactly_one_token(authorizations: tuple[str, ...]) -> None:
    assert verdict(visitor(uid=None, authorizations=authorizations)) is HTTPStatus.UNAUTHORIZED


def test_from_another_machine_the_user_counts_for_nothing() -> None:
    assert verdict(visitor(address="192.168.0.7")) is HTTPStatus.UNAUTHORIZED


def test_who_lacks_the_token_is_told_where_it_is() -> None:
    found = objection(visitor(uid=1001), RULES)
    assert found is not None
    assert found[1].code == "E800"
    assert " /home/me/token " in (found[1].hint or "")
