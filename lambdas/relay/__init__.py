"""From client to node: what a client sends is checked, sealed and published."""
