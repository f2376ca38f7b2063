"""`python -m taskmux.daemon`: how the client starts the daemon."""

from __future__ import annotations

import os
import sys

from .app import main

sys.exit(main(sys.argv[1:], os.environ))
