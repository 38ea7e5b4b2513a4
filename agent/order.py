"""What a session asks of the node: its document, who it runs as, and what its banner tells."""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core.documents import Document


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
