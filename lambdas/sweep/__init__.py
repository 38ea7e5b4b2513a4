"""Once a minute: what ran out of time is ended, though neither side said so."""
