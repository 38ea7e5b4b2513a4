"""The SDK: start, follow and end sessions from Python.

from hatchway.client import Hatchway, load_settings

hatchway = Hatchway(load_settings())
with hatchway.run("web-1", ["uname", "-a"]) as command:
    print(command.communicate().stdout)
with hatchway.start_session("web-1") as session:
    session.run("cd /srv")
    print(session.run("ls").output)
"""

from hatchway.client.process import Completed, Output, Process
from hatchway.client.records import Node, NodeReset, NodeRole, SessionRecord, Started
from hatchway.client.service import Hatchway, load_settings
from hatchway.client.session import Session
from hatchway.client.stream import Stream

__all__ = [
    "Completed",
    "Hatchway",
    "Node",
    "NodeReset",
    "NodeRole",
    "Output",
    "Process",
    "Session",
    "SessionRecord",
    "Started",
    "Stream",
    "load_settings",
]
