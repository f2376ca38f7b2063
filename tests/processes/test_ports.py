from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from taskmux.errors import NoFreePort
from taskmux.processes import native
from taskmux.processes.ports import BLOCKED, EXPECTED, RANGE, Ports

Listen = Callable[[str, int], socket.socket]


@pytest.fixture
def listen(request: pytest.FixtureRequest) -> Listen:
    def listen(address: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family)
        request.addfinalizer(listener.close)
        return listener

    return listen


def test_no_two_owners_get_the_same_port() -> None:
    ports = Ports()
    taken = [ports.take(f"shop/{number}") for number in range(300)]
    assert len(set(taken)) == 300
    again = [ports.take(f"shop/{number}") for number in range(300)]
    assert again == taken


def test_a_port_is_one_that_nothing_else_is_likely_to_want() -> None:
    ports = Ports()
    for number in range(100):
        port = ports.take(f"shop/{number}")
        assert port in RANGE
        assert port not in BLOCKED | EXPECTED
        assert port not in native.ephemeral_ports()


def test_an_owner_gets_its_port_again_after_everything_was_forgotten() -> None:
    first, second = Ports().take("shop/api"), Ports().take("shop/web")
    assert first != second
    assert (Ports().take("shop/api"), Ports().take("shop/web")) == (first, second)


def test_takes_the_preferred_port_if_it_is_free(listen: Listen) -> None:
    preferred = Ports().take("somebody")
    assert Ports().take("shop/api", preferred) == preferred
    listen("127.0.0.1", preferred)
    assert Ports().take("shop/api", preferred) != preferred


def test_keeps_the_port_it_has_whatever_is_preferred() -> None:
    ports = Ports()
    first = ports.take("shop/api")
    assert ports.take("shop/api", Ports().take("somebody")) == first


@pytest.mark.parametrize("port", [80, 0, -1, 65536, 6000, 10080])
def test_a_preference_that_cannot_be_meant_is_passed_over(port: int) -> None:
    assert Ports().take("shop/api", port) == Ports().take("shop/api")


def test_a_port_of_another_owner_is_not_given_away_though_nobody_listens() -> None:
    ports = Ports()
    taken = ports.take("shop/web")
    assert ports.take("shop/api", taken) != taken
    ports.release("shop/web")
    ports.release("shop/web")
    assert ports.take("shop/cache", taken) == taken


def test_moves_on_when_somebody_listens_on_its_port(listen: Listen) -> None:
    ports = Ports()
    old = ports.take("shop/api")
    listen("127.0.0.1", old)
    new = ports.take("shop/api")
    assert new != old
    assert ports.take("shop/web", old) not in {old, new}


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_a_port_is_busy_whatever_address_is_listened_on(listen: Listen, address: str) -> None:
    port = Ports().take("somebody")
    assert Ports.free(port)
    listen(address, port)
    assert not Ports.free(port)


def test_connections_that_a_server_closed_do_not_keep_its_port_busy(listen: Listen) -> None:
    port = Ports().take("somebody")
    listener = listen("127.0.0.1", port)
    with socket.create_connection(("127.0.0.1", port)) as near:
        far, _ = listener.accept()
        far.close()
        assert near.recv(1) == b""
    listener.close()
    assert Ports.free(port)


def test_says_so_when_there_is_none_left(listen: Listen) -> None:
    port = Ports().take("shop/api")
    ports = Ports(among=range(port, port + 1))
    assert ports.take("shop/api") == port
    with pytest.raises(NoFreePort, match="shop/web"):
        ports.take("shop/web")
    listen("127.0.0.1", port)
    with pytest.raises(NoFreePort, match="shop/api"):
        ports.take("shop/api")


def test_hands_out_ephemeral_ports_only_where_there_are_no_others() -> None:
    ephemeral = native.ephemeral_ports()
    assert Ports(among=ephemeral[:100]).take("shop/api") in ephemeral
    mixed = range(ephemeral[0] - 1, ephemeral[0] + 1000)
    assert Ports(among=mixed).take("shop/api") == ephemeral[0] - 1
    none_wanted = range(27017, 27020)
    with pytest.raises(NoFreePort):
        Ports(among=none_wanted).take("shop/api")


def test_tables_with_different_salt_prefer_different_ports() -> None:
    one, other = Ports("one home").take("shop/api"), Ports("other home").take("shop/api")
    assert one != other
    assert Ports(salt="one home").take("shop/api") == one


def test_what_is_kept_need_not_be_free_and_is_nobody_else_s(listen: Listen) -> None:
    port = listen("127.0.0.1", 0).getsockname()[1]
    ports = Ports()
    ports.keep("shop/api", port)
    assert ports.take("shop/web", port) != port
