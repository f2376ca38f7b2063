"""Packs what was ordered."""

from __future__ import annotations

import time

from store import end_politely, query, say

end_politely()
say("waiting for orders")
while True:
    for order in query("SELECT id FROM orders WHERE state = 'new'"):
        query("UPDATE orders SET state = 'packed' WHERE id = ?", order["id"])
        say(f"packed order {order['id']}")
    time.sleep(0.2)
