"""Reads recordings to people: pages, manifests, searches. It writes nothing."""
