"""What runs as root: it binds the ports, prepares the names, and becomes the user for good."""
