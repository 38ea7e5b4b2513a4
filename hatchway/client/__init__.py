"""The SDK: start, follow and end sessions from Python.

from hatchway.client import Hatchway, load_settings

with Hatchway(load_settings()).start_session("web-1") as session:
    print(session.run("uname -a").output)
"""

from hatchway.client.records import Node, NodeReset, NodeRole, SessionRecord, Started
from hatchway.client.service import Hatchway, load_settings
from hatchway.client.session import Session
from hatchway.client.stream import Stream

__all__ = [
    "Hatchway",
    "Node",
    "NodeReset",
    "NodeRole",
    "Session",
    "SessionRecord",
    "Started",
    "Stream",
    "load_settings",
]
