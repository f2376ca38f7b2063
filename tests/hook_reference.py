"""The reference part of docs/plugins.md, made of the docstrings of hooks and contracts.

`python -m tests.hook_reference` writes it into the page.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

from taskmux import contracts, hookspecs

PAGE = Path(__file__).parent.parent / "docs" / "plugins.md"
BEGIN = "<!-- from the docstrings: python -m tests.hook_reference -->\n"


def reference() -> str:
    """Return all that stands below `BEGIN`."""
    return "\n".join([*_hooks(), *_contracts()])


def _hooks() -> Iterator[str]:
    for name in hookspecs.__all__:
        hook = getattr(hookspecs, name)
        if name.startswith("taskmux_"):
            arguments = ", ".join(inspect.signature(hook).parameters)
            yield f"### `{name}({arguments})`\n"
            yield f"{inspect.getdoc(hook)}\n"


def _contracts() -> Iterator[str]:
    yield "### What crosses the line\n"
    yield "All of it is in `taskmux.contracts`, with every field explained.\n"
    yield "| name | is |"
    yield "|---|---|"
    for name in contracts.__all__:
        kind = getattr(contracts, name)
        if inspect.isclass(kind):
            yield f"| `{name}` | {(inspect.getdoc(kind) or '').partition(chr(10))[0]} |"
    yield ""


if __name__ == "__main__":
    head, _, _ = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(head + BEGIN + "\n" + reference())
