"""Commands about aliases: names for ports that none of the project's tasks has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskmux import wire

from .answers import Answer
from .session import Session

if TYPE_CHECKING:
    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")


def alias_add(
    session: Session,
    name: options.Alias,
    port: options.AliasPort,
    host: options.AliasHost = None,
) -> Answer:
    """Give a port of this machine a URL of the project's: of a container, of another program."""
    where = session.where()
    return session.connect().alias_add(wire.AliasAdd(**where, name=name, port=port, host=host))


def alias_list(session: Session) -> Answer:
    """Show every alias, and where it leads."""
    return session.connect().alias_list(wire.AliasList(**session.where()))


def alias_remove(session: Session, name: options.Alias) -> Answer:
    """Forget an alias."""
    return session.connect().alias_remove(wire.AliasRemove(**session.where(), name=name))
