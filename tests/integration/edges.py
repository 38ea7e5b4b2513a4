"""Proxies before the embedded AWS, and agents that reach it through them only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from local.stack import Stack
from tests.edge.proxy import EdgeProxy, Settings

NODE_TAGS = {"Name": "other", "team": "web"}


@contextmanager
def edge_of(stack: Stack) -> Iterator[EdgeProxy]:
    """A proxy with the embedded AWS's own certificate: who dials it notices nothing."""
    places = stack.places
    settings = Settings(
        upstream=("127.0.0.1", stack.emulator.port),
        upstream_ca=places.ca_bundle,
        certificate=(places.certificate, places.key),
    )
    with EdgeProxy(settings) as edge:
        yield edge


def through(stack: Stack, api: str, mqtt: str) -> dict[str, str]:
    """An agent's settings that dial these (host:port) for the agent API and for IoT Core."""
    url = urlsplit(stack.stacks["AgentApiUrl"])
    return {"agent_api_url": urlunsplit(url._replace(netloc=api)), "iot_connect": mqtt}


@contextmanager
def node_behind(stack: Stack, edge: EdgeProxy) -> Iterator[str]:
    """One more node, online, whose agent knows no other way than this proxy."""
    address = f"127.0.0.1:{edge.port}"
    node = stack.run_instance(NODE_TAGS)
    with stack.agent(node, overrides=through(stack, address, address)):
        yield node


@contextmanager
def another_node(stack: Stack) -> Iterator[str]:
    """One more node, online."""
    with stack.agent(stack.run_instance(NODE_TAGS)) as node:
        yield node
