"""Command lines worth copying, for `--help`. Each is one that its command can read."""

from __future__ import annotations

EXAMPLES = {
    "start": ("taskmux start", "taskmux start web --if-stopped", "taskmux start --timeout 300"),
    "stop": ("taskmux stop worker",),
    "restart": ("taskmux restart web worker",),
    "wait": (
        "taskmux wait api web --timeout 30",
        "taskmux wait migrate --for completed",
        "taskmux wait web --for 'log:compiled in [0-9]+ms'",
    ),
    "health": ("taskmux health -v", "taskmux --json health"),
    "events": (
        "taskmux events --task web --since 1h",
        "taskmux events -e task_failed -e auto_restart",
        "taskmux --json events --after 120",
    ),
    "logs": (
        "taskmux logs -f web",
        "taskmux logs -g 'error|Traceback' -C 3 --since 10m",
        "taskmux logs worker --run -1",
    ),
    "add": (
        "taskmux add web 'npm run dev -- --port $PORT' --host web",
        "taskmux add migrate 'python3 manage.py migrate' --oneshot --depends-on db",
        "taskmux add api 'serve $PORT' --health-url 'http://localhost:$PORT/health'",
    ),
    "url": ("taskmux url web", "taskmux --json url"),
    "open": ("taskmux open web",),
    "alias add": (
        "taskmux alias add admin 8080",
        "taskmux alias add cache 6379 --host redis",
        "taskmux alias add rest 3000 --host '*'",
    ),
    "alias remove": ("taskmux alias remove admin",),
    "config set": (
        "taskmux config set hook_timeout 30s",
        "taskmux config set plugins.disabled one,other",
    ),
    "schema": (
        "taskmux schema taskmux.toml > taskmux.schema.json",
        "taskmux schema StatusReport",
    ),
    "daemon start": ("taskmux daemon start --port 9000",),
    "daemon register": ("taskmux daemon register -c ../shop",),
    "daemon unregister": ("taskmux daemon unregister shop",),
}
"""By command; those that explain themselves have none."""
