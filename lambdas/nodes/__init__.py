"""Nodes: who may enrol and get channel credentials, what they report, whether they are online."""
