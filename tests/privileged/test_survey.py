from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from taskmux.daemon.privileged.sockets import Place, addresses, wanted
from taskmux.daemon.privileged.survey import Survey, read, refuse, write
from taskmux.errors import HostConfigWrong, NotAllowed, Refused

SURVEY = Survey(
    bind="127.0.0.1",
    https=443,
    http=80,
    resolver="etc_hosts",
    plugin="resolver-hosts",
    names=["shop.localhost", "api.shop.localhost"],
    settings={"hosts_file": None},
    running=False,
    held=[],
)


def answer(**changes: Any) -> bytes:
    """Return what a hostile program answers: a survey but for that."""
    found: dict[str, Any] = json.loads(write(SURVEY))
    return json.dumps({"survey": found["survey"] | changes}).encode()


def test_a_survey_comes_back_as_it_was() -> None:
    assert read(write(SURVEY)) == SURVEY
    nobody_offers_it = replace(SURVEY, plugin=None, held=[("::1", 443)])
    assert read(write(nobody_offers_it)) == nobody_offers_it


@pytest.mark.parametrize(
    "odd",
    [
        {"https": "443"},
        {"https": -1},
        {"https": 65536},
        {"https": 443.5},
        {"https": True},
        {"bind": "localhost"},
        {"bind": "127.0.0.1; rm"},
        {"bind": "fe80::1%eth0" + "x" * 50},
        {"resolver": "../../etc"},
        {"resolver": "etc_hosts\n"},
        {"plugin": "a b"},
        {"plugin": 7},
        {"names": [".localhost"]},
        {"names": ["shop.LOCALHOST"]},
        {"names": ["shop.test"]},
        {"names": ["localhost"]},
        {"names": ["shop.localhost\n127.0.0.1 bank.example"]},
        {"names": ["shop.localhost\n"]},
        {"names": ["shop localhost"]},
        {"names": ["bank.example"]},
        {"names": ["shop.localhost.evil.example"]},
        {"names": ["-a.localhost"]},
        {"names": ["a..localhost"]},
        {"names": ["\u212a.localhost"]},
        {"names": ["a" * 64 + ".localhost"]},
        {"names": [".".join(["a" * 60] * 5) + ".localhost"]},
        {"names": "shop.localhost"},
        {"names": [7]},
        {"names": ["a.localhost"] * 10_001},
        {"settings": []},
        {"held": [["127.0.0.1"]]},
        {"command": "rm"},
    ],
    ids=lambda odd: ascii(odd)[:40],
)
def test_what_is_not_to_the_letter_is_refused(odd: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed):
        read(answer(**odd))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"\xff",
        b'{"survey":null}',
        b'{"survey":{}}',
        b"Traceback (most recent call last):",
        b"[" * 100_000,
        b'{"survey":{"settings":' + b'{"a":' * 50_000,
        b'{"refused":{"error_code":"E1","message":""}}',
        write(SURVEY)[:-1],
        write(SURVEY) + b"{}",
    ],
    ids=lambda said: ascii(said)[:30],
)
def test_nonsense_is_refused(said: bytes) -> None:
    with pytest.raises(NotAllowed):
        read(said)


def test_what_the_user_has_to_put_right_is_said_as_it_was() -> None:
    with pytest.raises(Refused) as found:
        read(refuse(HostConfigWrong("api_port", "it must be a number", "write 8765")))
    assert str(found.value) == "api_port in the host config is wrong: it must be a number"
    assert (found.value.code, found.value.hint) == ("E104", "write 8765")
    with pytest.raises(Refused, match="the host config is wrong: xxx"):
        read(refuse(HostConfigWrong(None, "x" * 5000)))


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({}, ["127.0.0.1:443", "[::1]:443", "127.0.0.1:80", "[::1]:80"]),
        ({"http": 0}, ["127.0.0.1:443", "[::1]:443"]),
        ({"https": 8443, "http": 0}, ["127.0.0.1:8443", "[::1]:8443"]),
        ({"https": 0, "http": 0}, []),
        ({"http": 0, "held": [("127.0.0.1", 443)]}, ["[::1]:443"]),
        ({"http": 0, "bind": "10.1.2.3"}, ["10.1.2.3:443"]),
    ],
)
def test_what_is_to_be_bound(changes: dict[str, Any], places: list[str]) -> None:
    assert [str(place) for place in wanted(replace(SURVEY, **changes))] == places


def test_each_socket_knows_what_it_is_for() -> None:
    first, *_, last = wanted(SURVEY)
    assert (first, last) == (Place("https", "127.0.0.1", 443), Place("http", "::1", 80))


@pytest.mark.parametrize(
    ("bind", "all_of"),
    [
        ("127.0.0.1", ["127.0.0.1", "::1"]),
        ("::1", ["127.0.0.1", "::1"]),
        ("0:0:0:0:0:0:0:1", ["127.0.0.1", "::1"]),
        ("0.0.0.0", ["0.0.0.0", "::"]),
        ("::", ["0.0.0.0", "::"]),
        ("127.0.0.2", ["127.0.0.2"]),
        ("192.168.1.5", ["192.168.1.5"]),
    ],
)
def test_the_addresses_that_a_setting_stands_for(bind: str, all_of: list[str]) -> None:
    assert addresses(bind) == all_of
