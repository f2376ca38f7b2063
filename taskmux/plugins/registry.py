"""The plugins of one process, and all they offer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from taskmux import hookspecs
from taskmux.contracts import ContextWriter, HealthProbe, HostResolver, TaskFacts, TunnelBackend
from taskmux.errors import PluginFailed

from .calls import Hung, called
from .choice import choose_probe
from .offers import Offer, ask

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "taskmux"

Listener = Callable[[Mapping[str, object]], object]


class Source(Protocol):
    """Where a plugin comes from; `importlib.metadata.EntryPoint` is one."""

    @property
    def name(self) -> str:
        """What `taskmux plugins` calls it."""

    def load(self) -> Any:
        """Import the plugin, with whatever that raises."""


@dataclass(frozen=True, slots=True)
class Found:
    """One installed plugin; of what distribution, if that is known."""

    name: str
    enabled: bool
    distribution: str | None = None
    version: str | None = None


class Plugins:
    """The plugins of one process: all that are installed, unless told otherwise.

    A hook is asked when something it offers is first looked up, once. Looking
    up may block for a while, but never raises.
    """

    def __init__(
        self, sources: Iterable[Source] | None = None, disabled: Collection[str] = ()
    ) -> None:
        self.broken: dict[str, PluginFailed] = {}
        """By plugin, the last thing it failed at. The rest of it may still be in use."""

        self._offers: dict[tuple[str, str], Offer] = {}
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        found = entries() if sources is None else sources
        self.found: dict[str, Found] = {}
        """Every plugin by its name, those `disabled` and `broken` too."""

        for source in found:
            known = self.found.setdefault(source.name, _found(source, disabled))
            if known.enabled:
                self._load(source)

    @cached_property
    def resolvers(self) -> dict[str, HostResolver]:
        """Every host resolver on offer, by the name users give it."""
        return self._gather("taskmux_host_resolvers", "host resolver", HostResolver)

    @cached_property
    def tunnels(self) -> dict[str, TunnelBackend]:
        """Every tunnel backend on offer, by name."""
        return self._gather("taskmux_tunnel_backends", "tunnel backend", TunnelBackend)

    @cached_property
    def probes(self) -> dict[str, HealthProbe]:
        """Every health probe on offer, by name."""
        return self._gather("taskmux_health_probes", "health probe", HealthProbe)

    @cached_property
    def writers(self) -> dict[str, ContextWriter]:
        """Every context writer on offer, by name."""
        return self._gather("taskmux_context_writers", "context writer", ContextWriter)

    @cached_property
    def commands(self) -> dict[str, Callable[[], Any]]:
        """What returns the Typer app of every command on offer, by the command's name."""
        return self._gather("taskmux_commands", "command", None)

    @cached_property
    def listeners(self) -> dict[str, Listener]:
        """What to call with every event, by plugin. `relay` does it, within limits."""
        impls = self._impls("taskmux_event")
        return {impl.plugin_name: partial(_tell, impl) for impl in impls}

    def offers(self, plugin: str) -> list[Offer]:
        """Return all that `plugin` offers, asking every hook that was not asked yet."""
        _ = self.resolvers, self.tunnels, self.probes, self.writers, self.commands
        return [offer for offer in self._offers.values() if offer.plugin == plugin]

    def whose(self, kind: str, name: str) -> str:
        """Return which plugin offers the `kind` of thing that is called `name`."""
        return self._offers[kind, name].plugin

    def probe_for(self, task: TaskFacts) -> HealthProbe:
        """Return the probe that asks after `task`, as `choose_probe` does.

        A probe that fails at saying whether it applies is out, unless `task` names it.
        """
        while True:
            try:
                return choose_probe(self.probes, task)
            except PluginFailed as trouble:
                if task.health_probe is not None:
                    raise
                self._strike(str(trouble.facts["plugin"]), trouble)

    def relay(self, event: Mapping[str, object], limit: float = 10.0) -> list[PluginFailed]:
        """Tell every plugin that listens of `event`, one by one; return what went newly wrong.

        For a worker thread: takes up to `limit` seconds a listener, and never
        raises. A listener that hung is not told of anything again, and none is
        told of events about its own plugin, so no failure can feed on itself.
        """
        new = []
        for plugin, listener in list(self.listeners.items()):
            if event.get("plugin") == plugin:
                continue
            try:
                called(plugin, "take note of an event", partial(listener, dict(event)), limit)
            except PluginFailed as trouble:
                new += [] if plugin in self.broken else [trouble]
                self.broken[plugin] = trouble
                if isinstance(trouble.__cause__, Hung):
                    del self.listeners[plugin]
        return new

    def _load(self, source: Source) -> None:
        # pluggy's own loader stops at the first plugin that fails to import;
        # one bad plugin must not cost the user their tasks.
        try:
            plugin = called(source.name, "be imported", source.load)
            called(source.name, "be used", partial(self._register, source.name, plugin))
        except PluginFailed as trouble:
            self.broken[source.name] = trouble

    def _register(self, name: str, plugin: Any) -> None:
        if self._manager.has_plugin(name) or self._manager.is_registered(plugin):
            raise ValueError("loaded already, under this name or another")
        try:
            self._manager.register(plugin, name=name)
            self._manager.check_pending()
            _check_hooks(self._manager.get_hookcallers(plugin), plugin)
        except BaseException:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            raise

    def _impls(self, hook: str) -> list[pluggy.HookImpl]:
        return list(getattr(self._manager.hook, hook).get_hookimpls())

    def _gather(self, hook: str, kind: str, shape: type | None) -> dict[str, Any]:
        # One implementation at a time, not `manager.hook.x()`: there, the first
        # that raises takes the results of all the others with it.
        gathered: dict[str, Offer] = {}
        for impl in self._impls(hook):
            plugin = impl.plugin_name
            try:
                asking = partial(ask, impl, kind, shape, gathered)
                gathered |= called(plugin, f"offer its {kind}s", asking)
            except PluginFailed as trouble:
                self.broken[plugin] = trouble
        self._offers |= {(kind, name): offer for name, offer in gathered.items()}
        return {name: offer.value for name, offer in gathered.items()}

    def _strike(self, probe: str, trouble: PluginFailed) -> None:
        del self.probes[probe]
        self.broken[self._offers.pop(("health probe", probe)).plugin] = trouble


def entries() -> list[EntryPoint]:
    """Return every plugin that is installed, none of them imported."""
    from importlib.metadata import entry_points

    # Ours first: a name that two plugins offer stays with whoever came first.
    points = entry_points(group=GROUP)
    return sorted(points, key=lambda point: (not point.value.startswith("taskmux"), point.name))


def _found(source: Source, disabled: Collection[str]) -> Found:
    wheel = getattr(source, "dist", None)
    enabled = source.name not in disabled
    if wheel is None:
        return Found(source.name, enabled)
    return Found(source.name, enabled, wheel.name, wheel.version)


def _check_hooks(hooks: list[pluggy.HookCaller] | None, plugin: Any) -> None:
    impls = [impl for hook in hooks or () for impl in hook.get_hookimpls()]
    mine = [impl for impl in impls if impl.plugin is plugin]
    if not mine:
        raise ValueError("none of its functions is marked as a hook")
    if any(impl.wrapper or impl.hookwrapper for impl in mine):
        raise ValueError("it wraps a hook, and taskmux asks each plugin by itself")


def _tell(impl: pluggy.HookImpl, event: Mapping[str, object]) -> object:
    # A hook may leave out arguments it has no use for.
    return impl.function(**dict.fromkeys(impl.argnames, event))
