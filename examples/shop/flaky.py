"""Crashes the first two times it is started after a migration, then stays up."""

from __future__ import annotations

import signal
import sys

from store import CRASHES, end_politely, say

crashes = int(CRASHES.read_text()) if CRASHES.exists() else 0
if crashes < 2:
    CRASHES.write_text(str(crashes + 1))
    say(f"no connection to the warehouse, attempt {crashes + 1}")
    sys.exit(1)

end_politely()
say("connected to the warehouse")
while True:
    signal.pause()
