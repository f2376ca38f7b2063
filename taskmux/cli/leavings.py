"""What was deleted, or would be, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from taskmux import wire

from .plain import Ink, plain, size


def cleaned(report: wire.CleanReport | wire.PruneReport, ink: Ink) -> Iterator[str]:
    """Yield what was deleted, thing by thing, and what could not be."""
    if isinstance(report, wire.PruneReport):
        yield from _pruned(report)
    else:
        yield from _cleaned(report)
    for what in report.left:
        yield f"{ink('✗', 'red')} could not be removed: {plain(what)}"


def _cleaned(report: wire.CleanReport) -> Iterator[str]:
    verb = "would delete" if report.dry_run else "deleted"
    for one in report.removed:
        yield f"{verb} {plain(one.path)} ({size(one.bytes)})"
    if report.aliases:
        yield f"{verb} with it: {plain(', '.join(report.aliases))} (aliases)"
    if report.unregistered:
        yield f"{plain(report.session or '')} is stopped and unregistered"
    elif not report.removed:
        yield "Nothing to delete"


def _pruned(report: wire.PruneReport) -> Iterator[str]:
    for process in report.processes:
        ports = (
            f", listens on {', '.join(map(str, process.listening))}" if process.listening else ""
        )
        whose = f"of {plain(process.session)}/{plain(process.task)}{ports}"
        yield f"process {process.pid} {whose}: {plain(process.command)}"
    for project in report.projects:
        yield f"project {plain(project.session)}: {plain(project.config)} is gone"
    for folder in report.folders:
        yield f"folder  {plain(folder.path)} ({size(folder.bytes)}): of no project"
    for file in report.files:
        yield f"file    {plain(file.path)} ({size(file.bytes)}): a state file set aside"
    found = len(report.processes) + len(report.projects)
    found += len(report.folders) + len(report.files)
    if not found:
        yield "Nothing is left over"
    elif report.applied:
        yield f"{found} removed"
    else:
        yield f"{found} found; `taskmux prune --apply` removes them"
