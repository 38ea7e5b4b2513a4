"""What client and agent share of the network: settings and TLS."""
