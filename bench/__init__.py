"""How fast it is, in figures that mean the same on every machine: ratios within one run."""
