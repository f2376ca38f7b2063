"""Makes the database; running it again keeps the orders."""

from __future__ import annotations

from store import CRASHES, FOLDER, query, say

PRODUCTS = [(1, "apples", 120), (2, "bread", 340), (3, "cheese", 560)]

FOLDER.mkdir(exist_ok=True)
query("CREATE TABLE IF NOT EXISTS products (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER)")
query("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, product INTEGER, state TEXT)")
for product in PRODUCTS:
    query("INSERT OR REPLACE INTO products VALUES (?, ?, ?)", *product)
CRASHES.unlink(missing_ok=True)  # lets flaky.py crash again
say(f"{len(PRODUCTS)} products in {FOLDER.name}/shop.db")
