"""The way from a browser to a task: `https://api.shop.localhost` to a port on loopback."""
