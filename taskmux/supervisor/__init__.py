"""One project at work: its tasks, in the order their dependencies allow."""

from __future__ import annotations

from .carried import CarriedProject
from .ledger import abandon, recall
from .outcome import OVERTAKEN, done, failure
from .reports import health_report, task_report
from .saving import AGAIN, Saving
from .services import Services
from .specs import make_spec
from .supervisor import Supervisor
from .usage import Meter
from .verdicts import settled

__all__ = [
    "AGAIN", "OVERTAKEN", "CarriedProject", "Meter", "Saving", "Services", "Supervisor", "abandon",
    "done", "failure", "health_report", "make_spec", "recall", "settled", "task_report",
]  # fmt: skip
