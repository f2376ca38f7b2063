"""Commands about URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from taskmux import wire
from taskmux.errors import NoBrowser

from .answers import Answer
from .session import Session

if TYPE_CHECKING:
    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")


def url(session: Session, name: options.MaybeNamed = None) -> Answer:
    """Print the URL of a task or an alias; without a name, of all."""
    return session.connect().url(wire.Url(**session.where(), name=name))


def open_url(session: Session, name: options.Named) -> Answer:
    """Open the URL of a task or an alias in $BROWSER, or in the browser of this desktop."""
    from .browser import show
    from .reports import OpenReport

    found = session.connect().url(wire.Url(**session.where(), name=name))
    assert isinstance(found, wire.UrlReport)
    why = show(found.url, session.environ)
    opened = OpenReport(**structs.asdict(found))
    if why is None:
        return opened
    error = NoBrowser(found.url, why)
    if not session.programs:
        session.notice(f"Error [{error.code}]: {error}")
        session.notice(f"hint: {error.hint}")
    told = {"error": str(error), "error_code": error.code, "hint": error.hint}
    return structs.replace(opened, ok=False, **told)
