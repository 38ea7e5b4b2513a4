"""Tells people of what happened: the text that an event brings with it, as it is."""
