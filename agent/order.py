"""What a session asks of the node: its document, who it runs as, and what its banner tells."""

from __future__ import annotations

from dataclasses import dataclass

from agent.api import Opened
from hatchway.core.documents import Document
from hatchway.core.names import Topics


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """From the answer to `open`. `run_as` is the user that the service decided on, "" without run
    as; `recorded` says that the service keeps what is shown."""

    session: str
    document: Document
    run_as: str = ""
    node: str = ""
    node_name: str = ""
    stage: str = ""
    recorded: bool = False


def order(session: str, found: Document, opened: Opened, topics: Topics) -> Order:
    """What the answer to `open` asks for; a service that names no stage is the topics'."""
    return Order(
        session=session,
        document=found,
        run_as=opened.run_as,
        node=topics.node,
        node_name=opened.node_name,
        stage=opened.stage or topics.stage,
        recorded=opened.recorded,
    )
