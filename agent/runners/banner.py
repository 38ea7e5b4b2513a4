"""What a person is shown before the shell: where this is, who they are here, and who watches."""

from __future__ import annotations

from agent.order import Order
from agent.process.account import Account

#: Characters of one name.
MAX_NAME = 128


def banner(order: Order, user: Account) -> bytes:
    """The lines of the banner; b"" where the document wants none."""
    if not order.document.inputs.hatchway.banner:
        return b""
    node = plain(order.node)
    if order.node_name:
        node = f"{plain(order.node_name)} ({node})"
    lines = [f"hatchway: {node}, {plain(order.stage)}, as {plain(user.name)}"]
    if order.recorded:
        lines.append("hatchway: this session is recorded")
    return "".join(f"{line}\r\n" for line in lines).encode()


def plain(text: str) -> str:
    """A name that a terminal can only show: no controls, escapes, or marks that turn text round.
    Tags and names come from elsewhere."""
    return "".join(c for c in text if c.isprintable())[:MAX_NAME]
