"""Resolve taskmux's host names with a DNS server of its own."""
