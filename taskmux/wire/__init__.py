"""The messages between the daemon and whoever asks it.

    {"id": 7, "command": "start", "params": {"session": "shop", "task": "api"}}
    {"id": 7, "command": "start", "ok": true, "task": "api", "action": "started"}

One JSON object a line on the Unix socket, one a message on the WebSocket. `id`
is any value and comes back as it was; without one the answer has none either.
An answer is the report's own fields beside `command` and `ok`; a refusal says

    {"command": "start", "ok": false, "error": "task_not_found", "error_code": "E200",
     "message": "no task named 'apo'", "hint": "did you mean 'api'?", "task": "apo"}

After `subscribe` the connection also carries what happens, each message with a
`push`, which no answer has: `{"push": "event", …}`, `{"push": "log", …}`, and
`{"push": "lost", "count": 12}` where the reader was too slow.
"""

from __future__ import annotations

from .about import DaemonReport, ListenerReport
from .commands import COMMANDS, LOOKING
from .doctor import DoctorReport, Finding
from .leftovers import CleanReport, LostProcess, LostProject, PruneReport, Removed
from .plugins import OfferReport, PluginReport, PluginsReport
from .reached import AliasReport, ProxyReport
from .reports import (
    ActionReport,
    ActionsReport,
    AddReport,
    EventsReport,
    HealthReport,
    HealthRow,
    InspectReport,
    LastHealth,
    LineReport,
    LogsReport,
    MergedLogsReport,
    ProcessReport,
    ProjectReport,
    ProjectsReport,
    Report,
    SessionReport,
    StatusReport,
    TaskCounts,
    TaskReport,
    TunnelReport,
    WaitReport,
)
from .requests import (
    Add,
    AliasAdd,
    AliasList,
    AliasRemove,
    Clean,
    CleanLogs,
    Diagnose,
    Events,
    Field,
    Health,
    Hello,
    Inspect,
    Kill,
    ListPlugins,
    ListProjects,
    Logs,
    ProjectRequest,
    Prune,
    Register,
    Reload,
    Remove,
    Renew,
    Request,
    RestartTasks,
    Shutdown,
    StartTasks,
    Status,
    StatusAll,
    StopTasks,
    Subscribe,
    Unregister,
    Url,
    Wait,
)
from .urls import AliasChange, AliasesReport, FoundUrl, UrlReport, UrlsReport

PROTOCOL = 1
"""Raised when a message changes so that an older client would misread it."""

__all__ = [
    "COMMANDS", "LOOKING", "PROTOCOL", "ActionReport", "ActionsReport", "Add", "AddReport",
    "AliasAdd", "AliasChange", "AliasList", "AliasRemove", "AliasReport", "AliasesReport",
    "Clean", "CleanLogs", "CleanReport", "DaemonReport", "Diagnose", "DoctorReport", "Events",
    "EventsReport", "Field", "Finding", "FoundUrl", "Health", "HealthReport", "HealthRow",
    "Hello", "Inspect", "InspectReport", "Kill", "LastHealth", "LineReport", "ListPlugins",
    "ListProjects", "ListenerReport", "Logs", "LogsReport", "LostProcess", "LostProject",
    "MergedLogsReport", "OfferReport", "PluginReport", "PluginsReport", "ProcessReport",
    "ProjectReport", "ProjectRequest", "ProjectsReport", "ProxyReport", "Prune", "PruneReport",
    "Register", "Reload", "Remove", "Removed", "Renew", "Report", "Request", "RestartTasks",
    "SessionReport", "Shutdown", "StartTasks", "Status", "StatusAll", "StatusReport",
    "StopTasks", "Subscribe", "TaskCounts", "TaskReport", "TunnelReport", "Unregister", "Url",
    "UrlReport", "UrlsReport", "Wait", "WaitReport",
]  # fmt: skip
