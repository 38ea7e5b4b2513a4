"""Recordings into the archive and to the destinations that documents name."""
