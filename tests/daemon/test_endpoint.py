"""Where the proxy listens, and what it says of that."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from taskmux.daemon.endpoint import (
    UNPRIVILEGED,
    Place,
    advice,
    held_everywhere,
    take_place,
)
from taskmux.daemon.listeners import Listeners
from taskmux.settings import Settings


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port that somebody else has, of both families."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield held.getsockname()[1]


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


def place(settings: Settings) -> tuple[Place, dict[str, int]]:
    """Return where the proxy is then, and the ports that are held for it, by what for."""
    listeners = Listeners(())
    try:
        found = take_place(listeners, settings)
        return found, {listener.use: listener.place[1] for listener in listeners}
    finally:
        for listener in listeners:
            os.close(listener.descriptor)


def test_the_ports_that_it_should_have() -> None:
    https, http = free(), free()
    found, held = place(Settings(proxy_https_port=https, proxy_http_redirect_port=http))
    assert found == Place(https, f"on port {https}")
    assert held == {"https": https, "http": http}


def test_any_port_will_do_if_none_is_wished() -> None:
    found, held = place(Settings(proxy_https_port=0, proxy_http_redirect_port=0))
    assert found == Place(held["https"], f"on port {held['https']}")
    assert set(held) == {"https"}


def test_another_port_where_that_is_taken_and_who_says_whose_it_is(taken: int) -> None:
    found, held = place(Settings(proxy_https_port=taken, proxy_http_redirect_port=taken))
    assert (found.reason, found.hint) == (
        f"port {taken} is taken", f"`taskmux doctor` says who has port {taken}",
    )  # fmt: skip
    assert found.port in UNPRIVILEGED
    assert held == {"https": found.port}  # nobody is told of the redirect


@pytest.mark.parametrize(
    ("wish", "busy", "said"),
    [
        (443, False, "`sudo taskmux daemon restart` to have port 443"),
        (443, True, "`taskmux doctor` says who has port 443"),
        (8443, True, "`taskmux doctor` says who has port 8443"),
        (8443, False, "`taskmux doctor` says who has port 8443"),
    ],
)
def test_what_to_do_for_the_port_it_should_have(wish: int, busy: bool, said: str) -> None:
    assert advice(wish, busy=busy) == said


def test_an_address_that_is_not_here_costs_the_proxy(taken: int) -> None:
    found, held = place(Settings(proxy_bind="192.0.2.1", proxy_https_port=taken))
    assert (found.port, held) == (None, {})
    assert found.reason.startswith(f"port {taken} cannot be bound: ")


def test_nothing_is_bound_where_it_is_switched_off() -> None:
    found, held = place(Settings(proxy_enabled=False))
    assert (found, held) == (Place(None, "proxy_enabled is false in config.toml"), {})


V4, V6 = "127.0.0.1", "::1"


@pytest.mark.parametrize(
    ("held", "where", "ports"),
    [
        ([], [V4, V6], []),
        ([(V4, 443), (V6, 443)], [V4, V6], [443]),
        ([(V4, 443), (V6, 8443), (V4, 8443)], [V4, V6], [8443]),
        ([(V4, 8443), (V4, 443)], [V4], [443, 8443]),
        ([(V4, 443), (V6, 443)], ["0.0.0.0"], []),
    ],
)
def test_a_port_counts_that_is_held_at_each_address(
    held: list[tuple[str, int]], where: list[str], ports: list[int]
) -> None:
    assert held_everywhere(held, where) == ports


def test_where_somebody_else_answers_at_one_address_another_port_is_taken() -> None:
    try:
        squatter = socket.create_server((V6, 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with squatter:
        port = squatter.getsockname()[1]
        found, held = place(Settings(proxy_https_port=port, proxy_http_redirect_port=0))
    assert found.reason == f"port {port} is taken"
    assert found.port in UNPRIVILEGED
    assert held == {"https": found.port}


def test_what_is_held_is_kept() -> None:
    listeners = Listeners(())
    try:
        first = take_place(listeners, Settings(proxy_https_port=0, proxy_http_redirect_port=0))
        held = [listener.place for listener in listeners]
        for wish in (0, first.port or 0):
            wished = Settings(proxy_https_port=wish, proxy_http_redirect_port=0)
            assert take_place(listeners, wished) == first
        assert [listener.place for listener in listeners] == held
    finally:
        for listener in listeners:
            os.close(listener.descriptor)
