"""What may follow commands, each written once. Only the parser and `--help` import this."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

# Tasks

Task = Annotated[str, Argument(metavar="TASK", help="A task of this project.")]
Tasks = Annotated[
    list[str] | None, Argument(metavar="TASK", help="Tasks of this project; without any, all.")
]
SomeTasks = Annotated[list[str], Argument(metavar="TASK", help="Tasks of this project.")]
MaybeTask = Annotated[
    str | None, Argument(metavar="TASK", help="A task of this project; without it, all.")
]
IfStopped = Annotated[bool, Option("--if-stopped", help="Succeed if it is up already.")]
Wait = Annotated[
    bool, Option("--wait/--no-wait", help="Return when the tasks are ready, or at once.")
]
Timeout = Annotated[
    float, Option("--timeout", metavar="SECONDS", min=0, help="Give up waiting after this long.")
]
Until = Annotated[
    str,
    Option("--for", metavar="WHAT", help="ready, exit, completed, or log:REGEX: a line printed."),
]
Verbose = Annotated[bool, Option("--verbose", "-v", help="Show how each was probed, and when.")]

# Logs and events

Lines = Annotated[
    int | None, Option("--lines", "-n", metavar="N", min=0, help="At most the last N.")
]
Follow = Annotated[bool, Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")]
Grep = Annotated[str | None, Option("--grep", "-g", metavar="REGEX", help="Only lines that match.")]
IgnoreCase = Annotated[bool, Option("--ignore-case", "-i", help="Match small and capital alike.")]
Context = Annotated[
    int, Option("--context", "-C", metavar="N", min=0, help="Lines around each match.")
]
Since = Annotated[
    str | None, Option("--since", metavar="TIME", help="From: 5m, 1h30m, or 2024-01-01T14:00.")
]
UpTo = Annotated[str | None, Option("--until", metavar="TIME", help="Up to, as in --since.")]
Run = Annotated[
    int | None, Option("--run", metavar="N", help="Of that run only; -1 is the one before.")
]
Cursor = Annotated[
    str | None,
    Option("--after", metavar="CURSOR", help="What came after an earlier answer's next."),
]
Raw = Annotated[bool, Option("--raw", help="The bytes as the task wrote them.")]
OfTask = Annotated[str | None, Option("--task", metavar="TASK", help="Of this task only.")]
Kinds = Annotated[
    list[str] | None, Option("--event", "-e", metavar="KIND", help="Of this kind; repeatable.")
]
Seq = Annotated[int | None, Option("--after", metavar="SEQ", min=0, help="With a higher number.")]

# taskmux.toml and settings

NewTask = Annotated[str, Argument(metavar="TASK", help="Its name.")]
ShellCommand = Annotated[str, Argument(metavar="COMMAND", help="What to run, as one argument.")]
Host = Annotated[
    str | None, Option("--host", metavar="NAME", help="Its name in the browser; @ for the apex.")
]
Cwd = Annotated[str | None, Option("--cwd", metavar="DIR", help="Where it runs.")]
DependsOn = Annotated[
    list[str] | None, Option("--depends-on", metavar="TASK", help="What it waits for; repeatable.")
]
HealthUrl = Annotated[str | None, Option("--health-url", metavar="URL", help="Answers when well.")]
HealthCheck = Annotated[
    str | None, Option("--health-check", metavar="COMMAND", help="Exits with 0 when well.")
]
Restart = Annotated[
    str | None,
    Option("--restart", metavar="POLICY", help="no, on-failure (the default) or always."),
]
Manual = Annotated[bool, Option("--manual", help="Start it only when it is named.")]
Oneshot = Annotated[bool, Option("--oneshot", help="It is meant to end.")]
Env = Annotated[
    list[str] | None, Option("--env", metavar="KEY=VALUE", help="A variable for it; repeatable.")
]
Key = Annotated[str, Argument(metavar="KEY", help="A setting, as in `taskmux config show`.")]
Value = Annotated[str, Argument(metavar="VALUE", help="Its new value.")]
Reveal = Annotated[bool, Option("--reveal", help="Show secrets too.")]
SchemaName = Annotated[
    str | None,
    Argument(metavar="NAME", help="A message, or taskmux.toml, or config.toml; without it, all."),
]
PluginName = Annotated[str, Argument(metavar="NAME", help="As in `taskmux plugins`.")]

CertNames = Annotated[
    list[str] | None,
    Argument(metavar="NAME", help="Names under .localhost; without any, those of this project."),
]

# URLs

Named = Annotated[str, Argument(metavar="NAME", help="A task or an alias of this project.")]
MaybeNamed = Annotated[
    str | None,
    Argument(metavar="NAME", help="A task or an alias; without it, all of this project."),
]
Alias = Annotated[str, Argument(metavar="NAME", help="The alias's name: a-z, 0-9, inner hyphens.")]
AliasPort = Annotated[
    int, Argument(metavar="PORT", min=1, max=65535, help="Of this machine, where it leads.")
]
AliasHost = Annotated[
    str | None,
    Option("--host", metavar="NAME", help="Its name in the browser, if not its own; @ and * too."),
]

# The daemon

Port = Annotated[
    int | None,
    Option(
        "--port", metavar="PORT", min=0, max=65535, help="Of the WebSocket, instead of api_port."
    ),
]
Config = Annotated[
    str | None, Option("--config", "-c", metavar="PATH", help="A taskmux.toml, or its folder.")
]
Force = Annotated[bool, Option("--force", "-f", help="Take the name from the project that has it.")]
OnlyLogs = Annotated[bool, Option("--logs", help="Only the logs; tasks go on into new ones.")]
OnlyCerts = Annotated[
    bool, Option("--certs", help="Only the certificates made by `ca mint`, of all projects.")
]
OnlyEvents = Annotated[bool, Option("--events", help="Only the event history, of all projects.")]
Everything = Annotated[
    bool, Option("--all", help="Everything of every project but config.toml; stops the daemon.")
]
DryRun = Annotated[bool, Option("--dry-run", help="Delete nothing, and show what would be.")]
Apply = Annotated[bool, Option("--apply", help="Do it.")]
RestartChanged = Annotated[bool, Option("--apply", help="Restart the tasks that it changed.")]
AllowRoot = Annotated[
    bool, Option("--allow-root", help="Let root, without sudo, have a daemon of its own.")
]
System = Annotated[
    bool, Option("--system", help="For the system, with its ports; takes sudo, and systemd.")
]
Planned = Annotated[bool, Option("--dry-run", help="Do nothing, and show what would be.")]
StopTasks = Annotated[
    bool, Option("--stop-tasks", help="Stop what runs first, and start it again afterwards.")
]
ProjectId = Annotated[str, Argument(metavar="NAME", help="As in `taskmux daemon list`.")]
