"""Orders one of everything."""

from __future__ import annotations

import json
import os
from urllib.request import Request, urlopen

from store import say

ORDERS = f"http://127.0.0.1:{os.environ['TASKMUX_PORT_API']}/orders"

for product in (1, 2, 3):
    with urlopen(Request(ORDERS, json.dumps({"product": product}).encode()), timeout=5) as answer:
        order = json.load(answer)
    say(f"ordered {order['product']}: order {order['id']}")
