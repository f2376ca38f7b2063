"""`python -m bench`: measure, print one table, and exit with 1 if a limit is missed."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator

from . import crowd, estate, flood, latency, page, prompt, proxy, reading, stack, status
from .figure import Figure
from .scale import FULL, QUICK, Scale
from .table import render

BENCHMARKS: dict[str, Callable[[Scale], Iterator[Figure]]] = {
    "status": status.measure,
    "flood": flood.measure,
    "crowd": crowd.measure,
    "latency": latency.measure,
    "stack": stack.measure,
    "prompt": prompt.measure,
    "estate": estate.measure,
    "reading": reading.measure,
    "proxy": proxy.measure,
    "page": page.measure,
}


def main() -> int:
    """Run the benchmarks asked for; return 0 if every limit is kept."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a minute, and noisier")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}")
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)  # so that everything started is ended
    figures: list[Figure] = []
    try:
        for name in options.names or BENCHMARKS:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            figures += BENCHMARKS[name](QUICK if options.quick else FULL)
    except KeyboardInterrupt:
        return 130
    print(render(figures))
    return 0 if all(figure.ok for figure in figures) else 1


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


sys.exit(main())
