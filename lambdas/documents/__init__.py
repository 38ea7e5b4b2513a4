"""Session documents: written, listed and removed by people."""
