"""In-memory twins of every port, for tests and for trying things out: same rules, no AWS."""
