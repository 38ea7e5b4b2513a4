"""Every change of a session or node, told on the event bus."""
