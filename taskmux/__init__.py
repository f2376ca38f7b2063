"""Run a project's tasks, watch them, and tell people and programs how they are."""
