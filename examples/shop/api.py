"""The shop's HTTP API: /health, /products, /orders."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from store import end_politely, query, say

ORDERS = """
    SELECT orders.id, products.name AS product, orders.state
    FROM orders JOIN products ON products.id = orders.product
"""


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, {"products": query("SELECT count(*) AS count FROM products")})
        elif self.path == "/products":
            self.answer(200, query("SELECT * FROM products ORDER BY id"))
        elif self.path == "/orders":
            self.answer(200, query(f"{ORDERS} ORDER BY orders.id"))
        else:
            self.answer(404, {"error": f"nothing at {self.path}"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        product = json.loads(self.rfile.read(length))["product"]
        insert = "INSERT INTO orders (product, state) VALUES (?, 'new') RETURNING id"
        [order] = query(insert, product)
        self.answer(201, query(f"{ORDERS} WHERE orders.id = ?", order["id"])[0])

    def answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text: str, *values: object) -> None:
        if self.path != "/health":
            say(text % values)


end_politely()
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Api)
say(f"listening on {server.server_port}")
server.serve_forever()
