"""The life of one task, as a pure function.

`step` takes what is known about a task and one thing that just happened, and
returns what is now known and what to do about it. It reads no clock and starts
no process, so every rule about waiting, readiness, restarting and stopping is
in `step.py`, and each can be tested in one line.

    Start ──▶ waiting ──▶ starting ──▶ running ◀──▶ unhealthy
                 ▲            └─ the process ends ─┘    │ too many misses, or Stop
               retry                    │               ▼
              backoff ◀─────────────────┼────────── stopping
                 └──▶ failed            └──▶ completed  └──▶ stopped

The other fields of `Task` carry the rest. `wanted` is the user's wish; only `Start`,
`Stop` and a refused stop change it, so a stop is never undone by a restart that was under way.
`epoch` counts lives; news of an older life carries an older number and is
dropped. `alive` is true from the order to spawn until the exit: no other state
than starting, running, unhealthy and stopping has a process. `hook` names the
hook the task is held up by. `reason` says, in every state, why the task is in it.
`attempt` counts restarts and `misses` failed probes in a row; `spent` says that a
task failed because it was restarted as often as it may be. While it stops, `urge`
is the hardest signal so far, `resume` the state to which a refusal of `before_stop`
leads back, and `final` says that none is heeded.
"""

from __future__ import annotations

from .carry import portable, resume
from .events import (
    Abandon,
    Action,
    Arm,
    Await,
    Cleared,
    Event,
    Exited,
    Hooked,
    Hopeless,
    Probed,
    Run,
    Signal,
    Spawn,
    Start,
    Stop,
    TimerFired,
    Unasked,
)
from .news import News, news
from .step import CANNOT_RUN, Step, backoff_delay, describe_exit, step
from .task import RESTING, Hook, Policy, Restart, State, Task, Timer, Urge

__all__ = [
    "CANNOT_RUN", "RESTING", "Abandon", "Action", "Arm", "Await", "Cleared", "Event", "Exited",
    "Hook", "Hooked", "Hopeless", "News", "Policy", "Probed", "Restart", "Run", "Signal",
    "Spawn", "Start", "State", "Step", "Stop", "Task", "Timer", "TimerFired", "Unasked", "Urge",
    "backoff_delay", "describe_exit", "news", "portable", "resume", "step",
]  # fmt: skip
