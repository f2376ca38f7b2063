"""The start as root, from the user's wishes to a program that is theirs."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from taskmux.daemon import activation
from taskmux.daemon.handover import FAILURE, encode_failure
from taskmux.daemon.listeners import Listener
from taskmux.errors import NobodyOffers, NotAllowed, PluginFailed
from taskmux.plugins import Plugins, called, sources

from . import capabilities
from .drop import drop
from .person import Person, environment
from .sockets import bind, wanted
from .survey import LIMIT, Survey, read
from .trust import guarded

PATIENCE = 30.0
"""Seconds in which the user's settings have to be read."""

_HIGH = 256
"""Where descriptors are out of the way of those that are handed on."""

_ABOVE = 65536
"""Where nobody looks for descriptors that somebody forgot to close."""


def known(uid: int) -> Person | None:
    """Return the user of that number, if there is one."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return Person(entry.pw_name, uid, entry.pw_gid, entry.pw_dir, entry.pw_shell)


def start(
    person: Person | None,
    environ: Mapping[str, str],
    words: Sequence[str],
    notice: Callable[[str], None],
) -> NoReturn:
    """Do what takes root, then become `person` and run the command line `words`.

    None stays root. What cannot be had costs only itself, and `notice` is told. Raises
    `NotAllowed`, or what is wrong with the user's settings; nothing has changed then.
    """
    umask = os.umask(0o077)
    try:
        theirs = dict(environ) if person is None else environment_of(person, environ)
        survey = survey_of(person, theirs)
        listeners, complaints = bind(wanted(survey))
        for complaint in complaints:
            notice(complaint)
        if failure := _prepare(survey):
            notice(str(failure))
            if failure.hint:
                notice(f"hint: {failure.hint}")
            if isinstance(failure, PluginFailed):
                theirs[FAILURE] = encode_failure(failure)
        if person is not None:
            _become(person)
    finally:
        os.umask(umask)  # what tasks begin with is what it was for whoever typed `sudo`
    _execute(words, theirs, listeners)


def become(person: Person, environ: Mapping[str, str], words: Sequence[str]) -> NoReturn:
    """Become `person` and run the command line `words`: nothing in it takes root."""
    _become(person)
    try:
        _execute(words, environment_of(person, environ), [])
    except OSError as error:
        raise _unreadable(person, error.strerror or str(error)) from None


def survey_of(person: Person | None, theirs: Mapping[str, str]) -> Survey:
    """Return what is wanted in the environment `theirs`, by `person`, or by who we are.

    Their files are read by a program that is theirs. Raises `NotAllowed`, or what is wrong
    with their settings.
    """
    return read(ask(person, theirs, ["taskmux.daemon.privileged.inquiry"]))


def environment_of(person: Person, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what `person` finds around them on this machine."""
    runtime = Path("/run/user", str(person.uid))
    return environment(person, environ, str(runtime) if runtime.is_dir() else None)


def ask(person: Person | None, theirs: Mapping[str, str], module: Sequence[str]) -> bytes:
    """Return what a module of ours, and the words behind it, says when it runs as the user."""
    command = [sys.executable, "-P", "-m", *module]
    launch = partial(
        subprocess.Popen,
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=theirs,
        start_new_session=True,  # of the terminal where root types it knows nothing
    )
    try:
        if person is None:
            child = launch()
        else:
            capabilities.leave_none()
            groups = os.getgrouplist(person.name, person.gid)
            child = launch(user=person.uid, group=person.gid, extra_groups=groups)
    except OSError as error:
        if person is not None and error.errno == errno.EPERM:  # of a file it would be EACCES
            raise _stuck(person, error) from None
        raise _unreadable(person, error.strerror or str(error)) from None
    assert child.stdout is not None
    with child:
        try:
            answer = _read(child.stdout.fileno())
        finally:
            child.kill()  # it is our child yet, and this its number
    if not answer:
        raise _unreadable(person, "there was no answer")
    return answer


def _read(pipe: int) -> bytes:
    until = time.monotonic() + PATIENCE
    answer = b""
    while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
        more = os.read(pipe, 65536)
        if not more:
            return answer
        answer += more
        if len(answer) > LIMIT:
            raise NotAllowed("what the user wants cannot be known: it is too much")
    raise NotAllowed(f"what the user wants cannot be known: no answer within {PATIENCE:g} s")


def _unreadable(person: Person | None, why: str) -> NotAllowed:
    who = "root" if person is None else person.name
    hint = f"install taskmux, and the Python it runs on, where {who} can read them"
    return NotAllowed(f"{who} cannot run {sys.executable} with taskmux in it: {why}", hint)


def _prepare(survey: Survey) -> PluginFailed | NobodyOffers | None:
    """Have the resolver do its part; return why it did not. No other plugin is imported."""
    if survey.plugin is None:
        return NobodyOffers("host resolver", survey.resolver, ())
    plugins = Plugins(guarded(one) for one in sources() if one.name == survey.plugin)
    resolver = plugins.resolvers.get(survey.resolver)
    if resolver is None:
        missing = PluginFailed(survey.plugin, "be used", f"it does not offer {survey.resolver}")
        return plugins.broken.get(survey.plugin, missing)
    prepare = partial(resolver.prepare_as_root, survey.names, survey.settings)
    try:
        called(survey.plugin, "prepare host names as root", prepare)
    except PluginFailed as failure:
        return failure
    return None


def _become(person: Person) -> None:
    try:
        drop(person)
    except OSError as error:  # root of a container may be root of little
        raise _stuck(person, error) from None


def _stuck(person: Person, error: OSError) -> NotAllowed:
    return NotAllowed(f"root cannot become {person.name} here: {error.strerror}")


def _execute(
    words: Sequence[str], environ: Mapping[str, str], listeners: Sequence[Listener]
) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir("/")
    names = [listener.use for listener in listeners]
    high = [fcntl.fcntl(one.descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH) for one in listeners]
    for place, descriptor in enumerate(high, activation.FIRST):
        os.dup2(descriptor, place)
    os.closerange(activation.FIRST + len(names), _ABOVE)
    handed = activation.environment(names, os.getpid())
    program = [sys.executable, "-P", "-m", "taskmux", *words]
    os.execve(program[0], program, {**environ, **handed})
