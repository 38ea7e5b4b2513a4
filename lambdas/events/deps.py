"""What `events` is made of, from its environment."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas.adapters import items
from lambdas.adapters.events import EventBridge
from lambdas.environment import required, stage
from lambdas.events.handler import Events, Images


def build(environ: Mapping[str, str]) -> Events:
    return Events(EventBridge(required(environ, "EVENT_BUS")), IMAGES, stage(environ))


IMAGES = Images(kind_of=items.kind_of, session_of=items.session_of, node_of=items.node_of)
