from __future__ import annotations

from pathlib import Path

from taskmux.store import Memory, ProjectMemory, Store


def kept_whole(path: Path, why: str) -> None:
    raise AssertionError(f"{path}: {why}")


def test_what_is_no_text_is_kept_with_a_question_mark_in_its_place(home: Path) -> None:
    store = Store(home, kept_whole)
    reason = "port 8080 is held by pid 7 ({})"
    memory = ProjectMemory({"a": Memory(state="failed", reason=reason.format("caf\udce9"))})
    store.save_project("shop", memory)
    assert store.project("shop").tasks["a"].reason == reason.format("caf?")
    store.save_registry({"shop": "/caf\udce9/taskmux.toml"})
    assert store.registry() == {"shop": "/caf?/taskmux.toml"}
