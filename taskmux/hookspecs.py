"""The hooks taskmux calls.

A plugin is any module, installed under the entry-point group `taskmux`, that
implements one or more of these functions. A hook returns *descriptions*:
taskmux decides from the user's settings which of them to open. So a hook is
cheap and does not fail; it imports heavy modules inside itself, and the work
is done by what it returns.

Anything raised, by a hook or later, is caught, shown by `taskmux plugins` and
costs only the plugin; so does taking too long. A note on the exception
(`add_note`) is shown as the hint. A hook's answer counts as a whole: one offer
of the wrong shape, or of a name that is taken, loses the others with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pluggy import HookimplMarker, HookspecMarker

from .contracts import Commands, ContextWriter, HealthProbe, HostResolver, TunnelBackend

__all__ = [
    "hookimpl", "hookspec", "taskmux_commands", "taskmux_context_writers", "taskmux_event",
    "taskmux_health_probes", "taskmux_host_resolvers", "taskmux_tunnel_backends",
]  # fmt: skip

hookspec = HookspecMarker("taskmux")
"""Marks a hook; only this module has use for it."""

hookimpl = HookimplMarker("taskmux")
"""Marks an implementation. A plugin that imports nothing of taskmux makes its own."""


@hookspec
def taskmux_host_resolvers() -> Iterable[HostResolver]:
    """Offer ways to make task host names resolve on this machine.

    Called once, when the daemon starts. The daemon opens the one resolver the
    user chose with `host_resolver` and calls `publish` with the full set of names,
    each with 127.0.0.1 and with ::1, whenever that set changes, never concurrently.
    A failure costs the user the names, never the tasks.
    One that also has `advise(settings)` tells `taskmux doctor` what to do where names
    lead nowhere. Prove yours with `taskmux.testing.HostResolverContract`.

    ```python
    from contextlib import asynccontextmanager

    from pluggy import HookimplMarker


    class Listing:
        name = "listing"
        summary = "Keep the names in a file of the plugin's own, resolve nothing."

        def prepare_as_root(self, names, settings):
            pass

        @asynccontextmanager
        async def open(self, context):
            self.file = context.state_dir / "names"
            try:
                yield self
            finally:
                self.file.unlink(missing_ok=True)

        async def publish(self, records):
            lines = [f"{record.name} {record.address}\\n" for record in records]
            self.file.write_text("".join(lines))


    @HookimplMarker("taskmux")
    def taskmux_host_resolvers():
        yield Listing()
    ```
    """
    return ()


@hookspec
def taskmux_tunnel_backends() -> Iterable[TunnelBackend]:
    """Offer ways to reach tasks from the internet.

    Called once, when the daemon starts. A backend that any task names in
    `tunnel = "…"` is opened, and given every route it should serve whenever one
    is added or goes away, never concurrently. `settings`, `choices` and `check`
    are what the wizard asks with; `context.settings` holds the answers.
    Prove yours with `taskmux.testing.TunnelBackendContract`.

    ```python
    from contextlib import asynccontextmanager

    from taskmux.contracts import Check, TunnelSetting, TunnelState
    from taskmux.hookspecs import hookimpl


    class Pinned:
        name = "pinned"
        summary = "Show the public name; somebody else does the forwarding."
        settings = (TunnelSetting("domain", "Domain your server forwards"),)

        async def choices(self, setting, known):
            return ()

        async def check(self, settings, routes):
            if domain := settings.get("domain"):
                return [Check("domain", True, domain)]
            fix = "run `taskmux config set tunnel.pinned.domain example.org`"
            return [Check("domain", False, "no domain is set", fix)]

        async def setup(self, settings, routes):
            pass

        @asynccontextmanager
        async def open(self, context):
            yield Forwarded(context.settings["domain"])


    class Forwarded:
        def __init__(self, domain):
            self.domain = domain
            self.routes = ()

        async def publish(self, routes):
            self.routes = tuple(routes)

        def status(self):
            return [self.state(route) for route in self.routes]

        def state(self, route):
            name = route.public_hostname or f"{route.task}.{self.domain}"
            return TunnelState(route.task, f"https://{name}", ok=True, detail="not checked")


    @hookimpl
    def taskmux_tunnel_backends():
        yield Pinned()
    ```
    """
    return ()


@hookspec
def taskmux_health_probes() -> Iterable[HealthProbe]:
    """Offer ways to tell whether a task is well.

    Called once, when the daemon starts. A task is asked by the probe its table
    names in `health_probe`, else by the applicable one of lowest rank: 10 for
    `health_url`, 20 `health_check`, 80 a TCP connection, 90 being alive. What
    `prepare` returns is awaited again and again for as long as the process
    lives; it may be cancelled at any time and should end at once then. An exception
    counts as a no, and so does no answer within `health_timeout`.
    Prove yours with `taskmux.testing.HealthProbeContract`, or with `AskingProbeContract`
    where it asks somebody who may never answer.

    ```python
    from taskmux.contracts import ProbeResult
    from taskmux.hookspecs import hookimpl


    class FileProbe:
        name = "file"
        summary = "Well while a file is there."
        rank = 50

        def applies(self, task):
            if task.health_probe == "file" and "path" not in task.health_options:
                raise ValueError('the probe "file" needs health_options = { path = "…" }')
            return False  # only when named

        def prepare(self, target):
            path = target.cwd / target.task.health_options["path"]

            async def ask():
                there = path.exists()
                return ProbeResult(there, f"{path.name} is {'there' if there else 'missing'}")

            return ask


    @hookimpl
    def taskmux_health_probes():
        yield FileProbe()
    ```
    """
    return ()


@hookspec
def taskmux_context_writers() -> Iterable[ContextWriter]:
    """Offer files that tell coding tools how to reach this project's tasks.

    Called by `init`, `inject`, `add` and `remove`. `render` is text in, text
    out; taskmux reads and writes the file. Keep what people wrote in it.
    Prove yours with `taskmux.testing.ContextWriterContract`.

    ```python
    from taskmux.hookspecs import hookimpl


    class Plain:
        name = "plain"
        path = "TASKS.txt"

        def render(self, facts, old_text):
            lines = old_text.splitlines(keepends=True)
            kept = "".join(line for line in lines if not line.startswith("- task "))
            if kept and not kept.endswith("\\n"):
                kept += "\\n"
            return kept + "".join(f"- task {name}: {url}\\n" for name, url in facts.urls.items())


    @hookimpl
    def taskmux_context_writers():
        yield Plain()
    ```
    """
    return ()


@hookspec
def taskmux_commands() -> Commands:
    """Offer commands of your own: `taskmux NAME …`.

    Called when somebody types a command taskmux doesn't know, and for
    `--help`. Each is a name and a function that returns the Typer app; import
    typer inside it, so that only who runs the command pays for it. (Does your module begin
    with `from __future__ import annotations`, keep the app in another, as Typer has to find
    what the annotations name.) An app of one command is `taskmux NAME`, of several
    `taskmux NAME COMMAND`. taskmux's own commands come first. `typer.Context.obj` is a
    `CommandContext`: answer through it, as with `--json` nothing else may be on stdout. What
    the app raises is told like any other error.

    ```python
    from taskmux.hookspecs import hookimpl


    def hello():
        import typer

        app = typer.Typer()

        @app.command()
        def greet(context: typer.Context, name: str = "you"):
            \"""Say hello.\"""
            context.obj.answer({"greeted": name}, f"hello, {name}")

        return app


    @hookimpl
    def taskmux_commands():
        yield "hello", hello
    ```
    """
    return ()


@hookspec
def taskmux_event(event: Mapping[str, object]) -> None:
    """Take note of something that happened.

    Called in the daemon for every event after it is on disk, in order, in a
    thread of its own: a slow answer delays nobody else, and one that takes too long
    is the last this plugin is asked for. Events about the plugin itself are left
    out. When the daemon ends, three seconds are left for what was not told yet.
    `event` is a line of events.jsonl:
    `ts`, `seq`, `event`, `session`, and `task`, `run` and more where they apply.

    ```python
    from logging import getLogger

    from taskmux.hookspecs import hookimpl

    log = getLogger(__name__)


    @hookimpl
    def taskmux_event(event):
        if event["event"] == "task_failed":
            log.warning("%s failed: %s", event["task"], event["reason"])
    ```
    """
