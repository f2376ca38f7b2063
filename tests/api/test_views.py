from __future__ import annotations

from pathlib import Path

from tests.api.place import open_place
from tests.projects.estate import make_services, write

BUSY = '[tasks.busy]\ncommand = "while :; do :; done"\n'


async def test_a_look_at_another_project_does_not_hide_what_a_task_costs(
    home: Path, tmp_path: Path
) -> None:
    async with open_place(make_services(home)) as place:
        for name in ("shop", "blog"):
            await place.projects.register(write(tmp_path / name, BUSY, name))
            assert (await place.ask("start", session=name))["ok"]
        shares = {"shop": 0.0, "blog": 0.0}
        while not all(shares.values()):
            for name in shares:
                [task] = (await place.ask("status", session=name))["tasks"]
                shares[name] = task["cpu"]
