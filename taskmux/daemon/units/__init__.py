"""The daemon as a service of the system: what is written for it, and what is run."""
