"""A session's processes: who they run as, what they find, what holds them together."""
