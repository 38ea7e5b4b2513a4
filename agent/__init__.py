"""The agent: dials out from a node, runs sessions' shells, listens on nothing."""

#: Four dotted numbers, as clients of Session Manager compare versions.
VERSION = "1.0.0.0"
