"""The command that prints the schema of messages and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answers import Answer
from .session import Session

if TYPE_CHECKING:
    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")


def schema(session: Session, name: options.SchemaName = None) -> Answer:
    """Print the JSON Schema of a file, an answer or a request; without a name, list them."""
    from .schemas import find, names

    return names() if name is None else find(name)
