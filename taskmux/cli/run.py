"""One command line, from its words to an exit status, whatever happens on the way."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from taskmux import paths
from taskmux.errors import (
    BadRequest,
    Internal,
    Interrupted,
    NotAllowed,
    NotShown,
    TaskmuxError,
    UnknownCommand,
)
from taskmux.scarcity import described

from . import argv as words
from .answers import Answer
from .commands import COMMANDS, GROUPS, NAMES, PRIVILEGED, find
from .parsing import call
from .render import ForPeople, ForPrograms, Renderer
from .session import Session
from .superuser import check_home


def main(
    argv: Sequence[str], environ: Mapping[str, str], cwd: Path, out: TextIO, err: TextIO
) -> int:
    """Run one command and return its exit status; never raises, never shows a traceback."""
    programs = words.wants_json(argv)
    render = ForPrograms(out, err) if programs else ForPeople(out, err, environ)
    failure: TaskmuxError
    try:
        return _show(_answer(argv, environ, cwd, render), render, out)
    except KeyboardInterrupt:
        failure = Interrupted()
    except TaskmuxError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 (outermost: a traceback goes to cli.log, never to a user)
        failure = Internal(_keep(error, environ))
    with suppress(OSError):  # nobody reads what could be said
        render.error(failure)
        out.flush()
    return failure.exit_status


def entry() -> None:
    """Run the command line of this process: the console script."""
    out, err = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    status = Interrupted.exit_status
    try:
        for stream in (out, err):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        status = main(sys.argv[1:], os.environ, _folder(), out, err)
        out.flush()
    except KeyboardInterrupt:  # a second one, while the first was being answered
        pass
    except OSError:
        # What is left in the buffer has no reader; the interpreter would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(status)


def _answer(argv: Sequence[str], environ: Mapping[str, str], cwd: Path, render: Renderer) -> Answer:
    asked = words.split(argv, NAMES)
    if asked.version:
        from .help import version

        return version()
    folder, programs = _inside(cwd, asked.folder), words.wants_json(argv)
    session = Session(environ, folder, render.notice, asked.project, programs)
    if asked.command == "help":  # as many programs have it
        from .help import describe

        return describe(" ".join(asked.words), session)
    if asked.help or not (asked.command or asked.words):
        from .help import describe

        return describe(_topic(asked), session)
    try:
        command = find(asked.command, asked.words)
    except UnknownCommand:
        if asked.command in GROUPS:
            raise
        from .foreign import Foreigners

        return Foreigners(session).run(asked.command, asked.words)
    if command.name in COMMANDS.keys() - PRIVILEGED:
        check_home(os.geteuid(), session.home, environ)
    answer: Answer = call(command, session, asked.words)
    return answer


def _topic(asked: words.Asked) -> str:
    """Return the command whose help is wanted; a plugin's may have two words as well."""
    ours = asked.command in GROUPS | NAMES
    return asked.command if ours else " ".join([asked.command, *asked.words[:1]])


def _show(answer: Answer, render: Renderer, out: TextIO) -> int:
    status = answer if isinstance(answer, int) else int(not getattr(answer, "ok", True))
    try:
        render.show(answer)
        out.flush()
    except BrokenPipeError:  # somebody who stops reading (`| head`) has what they wanted
        pass
    except OSError as error:
        raise NotShown(described(error)) from None
    return status


def _inside(cwd: Path, folder: str | None) -> Path:
    if folder is None:
        return cwd
    if not (cwd / folder).is_dir():
        raise BadRequest(f"-C {folder}: no such folder", hint=None)
    return (cwd / folder).resolve()


def _keep(error: Exception, environ: Mapping[str, str]) -> str:
    import traceback
    from tempfile import mkdtemp

    log = paths.home(environ) / "cli.log"
    try:
        check_home(os.geteuid(), log.parent, environ)
    except NotAllowed:  # not into a folder of the user's; nor do they say where else
        log = Path(mkdtemp(prefix="taskmux-", dir="/tmp"), "cli.log")
    with suppress(OSError):  # a full disk must not cost the user the answer
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.touch(mode=0o600)
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return str(log)


def _folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # somebody deleted it; the shell still knows its name
        return Path(os.environ.get("PWD", "/"))


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
