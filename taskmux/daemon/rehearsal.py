"""Tells, before a restart, whether this program could go on with what it would be handed."""

from __future__ import annotations

from pathlib import Path

from taskmux import paths, settings
from taskmux.plugins import Plugins
from taskmux.project import parse
from taskmux.supervisor import make_spec

from .carried import decode


def rehearse(text: bytes, home: Path) -> None:
    """Read what `encode` made of a daemon, as far as can be told without being it.

    Raises `ValueError` for a format that is not ours, or what is wrong with a project.
    """
    projects = decode(text).projects
    host = settings.load(paths.host_config(home))
    plugins = Plugins(disabled=host.disabled_plugins)
    for session, carried in projects.opened.items():
        path = Path(projects.paths[session])
        config = parse(carried.text, str(path))
        for task in config.tasks.values():
            make_spec(config, task, path.parent, plugins, host)
