"""Who signs, and who trusts that, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .plain import Ink, plain
from .reports import AuthorityReport, MintReport, StoreReport, TrustReport

WHOSE = {"own": "taskmux's own", "mkcert": "mkcert's"}


def trusting(report: AuthorityReport | TrustReport | MintReport, ink: Ink) -> Iterator[str]:
    """Yield who signs for what, then a line for each store, with what is to be done about it."""
    match report:
        case AuthorityReport():
            yield from _authority(report)
            yield from _stores(report.stores, ink, wanted="trusted")
        case TrustReport():
            yield from _outcome(report, ink)
        case MintReport():
            yield f"{ink('✓', 'green')} {plain(', '.join(report.names))}, until {_day(report)}"
            yield f"  certificate  {plain(report.certificate)}"
            yield f"  key          {plain(report.key)}"
            yield f"  trusted by   {plain(report.root)}"


def _authority(report: AuthorityReport) -> Iterator[str]:
    yield f"Signed by {WHOSE[report.authority]} authority"
    if report.fingerprint is None:
        yield "  there is none yet: the first task with a host has it made, or `taskmux ca install`"
        return
    yield f"  root         {plain(report.root)}"
    yield f"  called       {plain(report.name)}"
    yield f"  fingerprint  {report.fingerprint}"
    yield f"  expires      {_day(report)}"
    yield f"  signs for    {', '.join(map(plain, report.constraint)) or 'everything'}"


def _outcome(report: TrustReport, ink: Ink) -> Iterator[str]:
    if report.dry_run:
        for store in report.stores:
            if store.commands:
                yield ink(f"# {plain(store.kind)}: {plain(store.place)}", "dim")
                yield from (f"$ {plain(command)}" for command in store.commands)
        if not any(store.commands for store in report.stores):
            yield "Nothing to do"
        return
    wanted = "trusted" if report.action == "installed" else "not_trusted"
    yield from _stores(report.stores, ink, wanted=wanted)
    if not report.stores:
        yield f"No store is known here: have yours trust {plain(report.root)}"


def _stores(stores: Sequence[StoreReport], ink: Ink, *, wanted: str) -> Iterator[str]:
    width = max((len(plain(store.kind)) for store in stores), default=0)
    for store in stores:
        mark = ink("✓", "green") if store.state == wanted else ink("✗", "red")
        why = f": {plain(store.detail)}" if store.detail else ""
        state = store.state.replace("_", " ")
        yield f"{mark} {plain(store.kind).ljust(width)}  {plain(store.place)}  {state}{why}"
        if store.fix is not None and store.state != wanted:
            yield f"  {' ' * width}  fix: {plain(store.fix)}"


def _day(report: AuthorityReport | MintReport) -> str:
    return plain((report.expires or "").partition("T")[0])
