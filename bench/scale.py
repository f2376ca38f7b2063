"""How much is measured: enough to trust, or enough to see that it still works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Rounds and sizes of every benchmark; each round is ours and the baseline once."""

    command_rounds: int
    flood_rounds: int
    flood_lines: int
    """Of 80 bytes each."""

    crowd_rounds: int
    idle: float
    """Seconds for which a hundred tasks are watched doing nothing."""

    latency_rounds: int
    request_rounds: int
    requests: int
    """Asked one after another in each round."""

    reading_rounds: int
    estate: int
    """Projects of twenty tasks each."""

    proxy_rounds: int
    proxy_seconds: float
    """For which each proxy is asked in a round."""

    proxy_stream: int
    """Bytes of the large answer."""

    page_rounds: int


FULL = Scale(
    command_rounds=25,
    flood_rounds=5,
    flood_lines=2_500_000,
    crowd_rounds=7,
    idle=20.0,
    latency_rounds=5,
    request_rounds=5,
    requests=200,
    reading_rounds=15,
    estate=50,
    proxy_rounds=5,
    proxy_seconds=4.0,
    proxy_stream=1_000_000_000,
    page_rounds=9,
)

QUICK = Scale(
    command_rounds=7,
    flood_rounds=3,
    flood_lines=500_000,
    crowd_rounds=3,
    idle=10.0,
    latency_rounds=1,
    request_rounds=2,
    requests=100,
    reading_rounds=5,
    estate=15,
    proxy_rounds=3,
    proxy_seconds=2.0,
    proxy_stream=300_000_000,
    page_rounds=3,
)
