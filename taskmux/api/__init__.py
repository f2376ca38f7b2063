"""The daemon's two doors, a Unix socket and a WebSocket, before one table of commands."""
