"""What a session can run on the node, one module each."""
