"""What can go wrong and be put right: one class a cause, one number a class.

TaskmuxError                  exit status 1 unless said otherwise
├── NoConfig                  E100  exit status 2
├── InvalidToml               E101  exit status 2
├── UnknownKey                E102  exit status 2
├── InvalidValue              E103  exit status 2
├── HostConfigWrong           E104  exit status 2
├── FileExists                E105  exit status 2
├── TaskExists                E106  exit status 2
├── NotWritten                E107  exit status 2
├── EmptyConfig               E108  exit status 2
├── TaskNotFound              E200
├── AlreadyRunning            E201
├── NotRunning                E202
├── UnknownDependency         E210
├── DependsOnItself           E211
├── DependencyCycle           E212
├── FolderMissing             E213
├── NeverReady                E214
├── SpawnFailed               E215
├── NoFreePort                E216
├── TaskFailed                E217
├── Overtaken                 E218
├── LogsLeft                  E219
├── UnknownSession            E300
├── NotRegistered             E303
├── DaemonNotRunning          E304  exit status 3
├── NameTaken                 E305
├── DaemonDidNotStart         E306  exit status 3
├── ProtocolMismatch          E307  exit status 3
├── DaemonEnding              E308  exit status 3
├── DaemonRenewing            E309  exit status 3
├── DaemonBusy                E310
├── NotRenewed                E311
├── NothingLeft               E312
├── NotInstalled              E313
├── HookFailed                E400
├── HookTimedOut              E401
├── NoAuthority               E500
├── NotLocal                  E501
├── NotOurs                   E502
├── NoUrl                     E503
├── UnknownAlias              E505
├── AliasClash                E506
├── OwnPort                   E507
├── NoBrowser                 E508
├── PluginFailed              E700
├── NobodyOffers              E701
├── UnknownPlugin             E702
├── NotAllowed                E800
├── BadRequest                E801  exit status 2
├── UnknownCommand            E802  exit status 2
├── Internal                  E900
├── Interrupted               E901  exit status 130
├── TimedOut                  E902  exit status 124
├── NotShown                  E903
└── Refused                   the daemon's own error, whatever its number
"""

from __future__ import annotations

from .config import (
    EmptyConfig,
    FileExists,
    HostConfigWrong,
    InvalidToml,
    InvalidValue,
    NoConfig,
    NotWritten,
    TaskExists,
    UnknownKey,
)
from .daemon import (
    DaemonBusy,
    DaemonDidNotStart,
    DaemonEnding,
    DaemonNotRunning,
    DaemonRenewing,
    NameTaken,
    NothingLeft,
    NotInstalled,
    NotRegistered,
    NotRenewed,
    ProtocolMismatch,
    UnknownSession,
)
from .doors import (
    BadRequest,
    Internal,
    Interrupted,
    NobodyOffers,
    NotAllowed,
    NotShown,
    PluginFailed,
    TimedOut,
    UnknownCommand,
    UnknownPlugin,
)
from .root import Refused, TaskmuxError, closest, ungrouped
from .tasks import (
    AlreadyRunning,
    DependencyCycle,
    DependsOnItself,
    FolderMissing,
    HookFailed,
    HookTimedOut,
    LogsLeft,
    NeverReady,
    NoFreePort,
    NotRunning,
    Overtaken,
    SpawnFailed,
    TaskFailed,
    TaskNotFound,
    UnknownDependency,
)
from .urls import (
    AliasClash,
    NoAuthority,
    NoBrowser,
    NotLocal,
    NotOurs,
    NoUrl,
    OwnPort,
    UnknownAlias,
)

__all__ = [
    "AliasClash", "AlreadyRunning", "BadRequest", "DaemonBusy", "DaemonDidNotStart", "DaemonEnding",
    "DaemonNotRunning", "DaemonRenewing", "DependencyCycle", "DependsOnItself", "EmptyConfig",
    "FileExists", "FolderMissing", "HookFailed", "HookTimedOut", "HostConfigWrong", "Internal",
    "Interrupted", "InvalidToml", "InvalidValue", "LogsLeft", "NameTaken", "NeverReady",
    "NoAuthority", "NoBrowser", "NoConfig", "NoFreePort", "NoUrl", "NobodyOffers", "NotAllowed",
    "NotInstalled", "NotLocal", "NotOurs", "NotRegistered", "NotRenewed", "NotRunning", "NotShown",
    "NotWritten", "NothingLeft", "Overtaken", "OwnPort", "PluginFailed", "ProtocolMismatch",
    "Refused", "SpawnFailed", "TaskExists", "TaskFailed", "TaskNotFound", "TaskmuxError",
    "TimedOut", "UnknownAlias", "UnknownCommand", "UnknownDependency", "UnknownKey",
    "UnknownPlugin", "UnknownSession", "closest", "ungrouped",
]  # fmt: skip
