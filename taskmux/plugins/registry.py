"""The plugins of one process, and all they offer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property, partial
from threading import RLock
from typing import Any

import pluggy

from taskmux import hookspecs
from taskmux.contracts import ContextWriter, HealthProbe, HostResolver, TaskFacts, TunnelBackend
from taskmux.errors import PluginFailed

from .calls import LIMIT, Hung, called
from .choice import choose_probe
from .installed import GROUP, Found, Source, found, sources
from .offers import Offer, ask
from .shape import check_name

Listener = Callable[[Mapping[str, object]], object]


class Plugins:
    """The plugins of one process: all that are installed, unless told otherwise.

    A hook is asked when something it offers is first looked up, once. Looking
    up may block for a while, but never raises. `loading` is told of each plugin before it
    is imported: it may be the last that is heard of this process.
    """

    def __init__(
        self,
        installed: Iterable[Source] | None = None,
        disabled: Collection[str] = (),
        limit: float = LIMIT,
        loading: Callable[[str], object] = lambda name: None,
    ) -> None:
        self.broken: dict[str, PluginFailed] = {}
        """By plugin, the last thing it failed at. The rest of it may still be in use."""

        self._offers: dict[tuple[str, str], Offer] = {}
        self._gathered: dict[str, dict[str, Any]] = {}
        self._asking = RLock()
        self._limit = limit
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self.found: dict[str, Found] = {}
        """Every plugin by its name, those `disabled` and `broken` too."""

        for source in sources() if installed is None else installed:
            one = found(source, disabled)
            known = self.found.setdefault(one.name, one)
            if known is not one:
                self._twice(known, one)
            elif one.enabled:
                loading(one.name)
                self._load(source)

    @property
    def resolvers(self) -> dict[str, HostResolver]:
        """Every host resolver on offer, by the name users give it."""
        return self._gather("taskmux_host_resolvers", "host resolver", HostResolver)

    @property
    def tunnels(self) -> dict[str, TunnelBackend]:
        """Every tunnel backend on offer, by name."""
        return self._gather("taskmux_tunnel_backends", "tunnel backend", TunnelBackend)

    @property
    def probes(self) -> dict[str, HealthProbe]:
        """Every health probe on offer, by name."""
        return self._gather("taskmux_health_probes", "health probe", HealthProbe)

    @property
    def writers(self) -> dict[str, ContextWriter]:
        """Every context writer on offer, by name."""
        return self._gather("taskmux_context_writers", "context writer", ContextWriter)

    @property
    def commands(self) -> dict[str, Callable[[], Any]]:
        """What returns the Typer app of every command on offer, by the command's name."""
        return self._gather("taskmux_commands", "command", None)

    @cached_property
    def listeners(self) -> dict[str, Listener]:
        """What to call with every event, by plugin; within limits, as it may do anything."""
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
                return choose_probe(self.probes, task, self.absent)
            except PluginFailed as trouble:
                if task.health_probe is not None:
                    raise
                self._strike(str(trouble.facts["plugin"]), trouble)

    @property
    def absent(self) -> set[str]:
        """Return the plugins that are disabled or broken: what is missing may be theirs."""
        return {name for name, one in self.found.items() if not one.enabled} | set(self.broken)

    def note(self, plugin: str, trouble: PluginFailed) -> bool:
        """Keep what `plugin` failed at; return whether that is its first trouble."""
        first = plugin not in self.broken
        self.broken[plugin] = trouble
        return first

    def _load(self, source: Source) -> None:
        # pluggy's own loader stops at the first plugin that fails to import;
        # one bad plugin must not cost the user their tasks.
        try:
            called(source.name, "be used", partial(check_name, source.name))
            plugin = called(source.name, "be imported", source.load, self._limit)
            called(source.name, "be used", partial(self._register, source.name, plugin))
        except PluginFailed as trouble:
            self.broken[source.name] = trouble

    def _twice(self, known: Found, other: Found) -> None:
        whose, others = known.distribution or "another", other.distribution or "a second place"
        why = f"there is a plugin of that name in {whose}, which is used"
        hint = f"uninstall {whose} or {others}"
        self.broken[known.name] = PluginFailed(known.name, f"be loaded from {others}", why, hint)

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
        with self._asking:  # whoever comes meanwhile gets the same answer
            if kind not in self._gathered:
                self._gathered[kind] = self._ask(hook, kind, shape)
            return self._gathered[kind]

    def _ask(self, hook: str, kind: str, shape: type | None) -> dict[str, Any]:
        # One implementation at a time, not `manager.hook.x()`: there, the first
        # that raises takes the results of all the others with it.
        gathered: dict[str, Offer] = {}
        for impl in self._impls(hook):
            plugin = impl.plugin_name
            if self._hung(plugin):  # each further hook would cost the user as long again
                continue
            try:
                asking = partial(ask, impl, kind, shape, gathered)
                gathered |= called(plugin, f"offer its {kind}s", asking, self._limit)
            except PluginFailed as trouble:
                self.broken[plugin] = trouble
        self._offers |= {(kind, name): offer for name, offer in gathered.items()}
        return {name: offer.value for name, offer in gathered.items()}

    def _hung(self, plugin: str) -> bool:
        return isinstance(getattr(self.broken.get(plugin), "__cause__", None), Hung)

    def _strike(self, probe: str, trouble: PluginFailed) -> None:
        with self._asking:
            self.probes.pop(probe, None)
            if (offer := self._offers.pop(("health probe", probe), None)) is not None:
                self.broken[offer.plugin] = trouble


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
