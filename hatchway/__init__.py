"""Hatchway: shell access to instances with every inbound port closed."""

__version__ = "0.1.0"
