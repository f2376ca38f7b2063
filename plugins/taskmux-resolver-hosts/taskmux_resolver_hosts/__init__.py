"""Resolve taskmux's host names through the system's hosts file."""
