"""From node to client: what an agent uploads, posted to the client its ticket names."""
