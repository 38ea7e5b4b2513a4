"""Terminals and the processes in them, one module per operating system."""
