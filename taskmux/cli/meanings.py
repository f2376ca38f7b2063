"""What each key of a taskmux.toml and of config.toml means, for editors: as in the docs."""

from __future__ import annotations

OF_PROJECT = {
    "name": ("what the project is called in commands, logs and URLs: a-z, 0-9 and inner hyphens"),
    "auto_start": (
        "`false`: `taskmux start` without names starts nothing; tasks can still be started by name"
    ),
    "auto_daemon": (
        "read for the sake of older files; the daemon starts whenever a command needs it"
    ),
    "auto_inject_agents": (
        "whether agents' context files are kept in step with the tasks; without it "
        "the host config decides"
    ),
    "hooks": "commands around every task's start and stop",
    "hook_timeout": "how long a hook may take; without it the host config decides",
    "tunnel": (
        "per tunnel backend, what the project sets differently from the host config; never a secret"
    ),
    "tasks": "the tasks, by name",
}

OF_TASK = {
    "command": "what `/bin/sh -c` runs",
    "type": (
        '`"oneshot"`: it is meant to end. Exit status 0 makes it `completed`, and '
        "those that depend on it wait for that"
    ),
    "auto_start": "whether `taskmux start` without names starts it",
    "cwd": (
        "where it runs, relative to the project's folder, which it is without this; "
        "`~/` is understood"
    ),
    "env": "variables on top of the environment `taskmux start` was called with",
    "depends_on": "tasks it waits for",
    "host": (
        'its name in the browser: a label, `"@"` for the project\'s own name, `"*"` '
        "for every other. With a host and no probe of its own it is ready when its `$PORT` is open"
    ),
    "host_path": "path of its URL",
    "health_url": "it is well when a GET is answered as expected",
    "health_expected_status": "the status that `health_url` has to answer",
    "health_expected_body": "a pattern that has to be found in the answer's first 256 KiB",
    "health_check": (
        "a shell command that exits with 0 when it is well; used when there is no `health_url`"
    ),
    "health_probe": (
        "a probe by its name: one of a plugin's, or `health_url`, `health_check`, `tcp`, `alive`"
    ),
    "health_options": "what a plugin's probe wants to know",
    "health_interval": "time between two probes once it is ready; before that they come quicker",
    "health_timeout": "how long one probe may take",
    "health_retries": "failed probes in a row after which it is restarted",
    "ready_log": "a pattern: ready when a line it prints matches",
    "stop_grace_period": "time between SIGINT and SIGTERM, and again between SIGTERM and SIGKILL",
    "restart_policy": '`"no"`, `"on-failure"` or `"always"`; a oneshot\'s default is `"no"`',
    "max_restarts": "restarts before it is given up; counted anew after 60 s of being well",
    "restart_backoff": "base of the time before a restart",
    "log_file": (
        "where its output goes, relative to the project's folder, instead of taskmux's own; "
        "a change holds at once, what was written stays where it is"
    ),
    "log_max_size": "size at which its log is rotated",
    "log_max_files": "rotated logs that are kept",
    "hooks": "commands around its start and stop",
    "hook_timeout": "how long one of its hooks may take",
    "tunnel": "the backend that puts it on the internet",
    "public_hostname": "its name there",
}

OF_SETTINGS = {
    "api_port": "port of the WebSocket; 0 takes any that is free",
    "health_check_interval": (
        "how often a task is looked at that has no probe but being alive; its exit is "
        "noticed at once anyway"
    ),
    "ca": 'who signs certificates: taskmux itself, or `"mkcert"`',
    "hook_timeout": "how long a hook may take where neither task nor project says so",
    "plugins.disabled": "plugins that are not loaded",
    "host_resolver": "what makes the names of tasks resolve; `taskmux plugins` lists what there is",
    "hosts_file": "of `etc_hosts`: another file than the system's, which then needs no root",
    "dns_server_port": "of `dns_server`: where it answers",
    "dns_managed_tld": (
        "of `dns_server`: the domain it answers for, whole; names of tasks are below `localhost` "
        "all the same"
    ),
    "dns_install": "of `dns_server`: whether a start with sudo has the system ask it",
    "proxy_enabled": "whether tasks with a host are reached by name",
    "proxy_https_port": (
        "port of the proxy; where it cannot be bound, one from 8443 on; 0 takes any that is free"
    ),
    "proxy_bind": "IP address of both ports; a loopback address stands for both families",
    "proxy_http_redirect_port": "port that leads http to https, if it may be bound; 0 for none",
    "plugin": "a table for each plugin, for it to read",
    "tunnel": "a table for each tunnel backend",
}
