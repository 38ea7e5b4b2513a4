"""The pure core: standard library only, no clock, randomness, sockets or environment of its own."""
