"""The shop window: a page made from what the API says."""

from __future__ import annotations

import html
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

from store import end_politely, say

API = f"http://127.0.0.1:{os.environ['TASKMUX_PORT_API']}"
TITLE = os.environ.get("SHOP_TITLE", "The shop")

PAGE = """<!doctype html>
<title>{title}</title>
<h1>{title}</h1>
<ul>
{products}
</ul>
<p>{orders} orders so far</p>
"""


def page() -> str:
    products, orders = fetch("/products"), fetch("/orders")
    items = [f"<li>{html.escape(p['name'])}: {p['cents'] / 100:.2f}</li>" for p in products]
    return PAGE.format(title=html.escape(TITLE), products="\n".join(items), orders=len(orders))


def fetch(path: str) -> list[dict]:
    with urlopen(API + path, timeout=5) as answer:
        return json.load(answer)


class Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            status, text = 200, page()
        except OSError as error:
            status, text = 502, f"the API does not answer: {error}\n"
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text: str, *values: object) -> None:
        say(text % values)


end_politely()
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Web)
say(f"listening on {server.server_port}, asking {API}")
server.serve_forever()
