"""Tells callers' lifecycle connections of changes of their sessions."""
