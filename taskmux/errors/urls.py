"""What can go wrong on the way from a browser to a task."""

from __future__ import annotations

from collections.abc import Iterable

from .root import TaskmuxError, closest


class NoAuthority(TaskmuxError):
    """There is no authority that could sign certificates."""

    code = "E500"

    def __init__(self, why: str, hint: str | None = None) -> None:
        super().__init__(f"no certificates can be made: {why}", hint=hint)


class NotLocal(TaskmuxError):
    """A name that no certificate is made for: it is not under .localhost, or nobody takes it."""

    code = "E501"

    def __init__(self, name: str, why: str, hint: str | None = None) -> None:
        super().__init__(f"no certificate for {name!r}: it {why}", hint=hint, name=name)


class NotOurs(TaskmuxError):
    """The authority is mkcert's: whether it is trusted is not for taskmux alone to say."""

    code = "E502"

    def __init__(self) -> None:
        hint = "run `mkcert -uninstall`, or `taskmux config set ca own` first"
        super().__init__("the authority is mkcert's, and others rely on it", hint=hint)


class NoUrl(TaskmuxError):
    """A task or an alias has no URL just now. `why` completes "… has no URL: "."""

    code = "E503"

    def __init__(self, name: str, why: str, hint: str | None = None) -> None:
        super().__init__(f"{name} has no URL: {why}", hint=hint, name=name)


class UnknownAlias(TaskmuxError):
    """The project has no alias of that name."""

    code = "E505"

    def __init__(self, alias: str, known: Iterable[str]) -> None:
        hint = closest(alias, known) or "run `taskmux alias list` to see them"
        super().__init__(f"no alias named {alias!r}", hint=hint, alias=alias)


class AliasClash(TaskmuxError):
    """An alias wants a name or a host that is taken. `why` says whose it is."""

    code = "E506"

    def __init__(self, alias: str, why: str, hint: str | None = None) -> None:
        super().__init__(f"alias {alias!r} cannot be added: {why}", hint=hint, alias=alias)


class OwnPort(TaskmuxError):
    """An alias would lead back to the daemon. `whose` is what listens there: the proxy, the API."""

    code = "E507"

    def __init__(self, port: int, whose: str) -> None:
        hint = "give the port of the program that is to be reached"
        super().__init__(f"{whose} of taskmux listens on port {port}", hint=hint, port=port)


class NoBrowser(TaskmuxError):
    """There is no browser that could be opened, or it failed. `why` says which."""

    code = "E508"

    def __init__(self, url: str, why: str) -> None:
        hint = "open the URL yourself, or name a browser in $BROWSER"
        super().__init__(why, hint=hint, url=url)
