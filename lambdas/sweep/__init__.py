"""What ran out of time is ended though neither side said so: once a minute, and node by node."""
