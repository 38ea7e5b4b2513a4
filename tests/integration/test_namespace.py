"""A node without internet: its agent can reach two endpoints, and nothing can reach it."""

from __future__ import annotations

import asyncio
import errno
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hatchway.client.events import Ended
from local import agents
from local.environment import scrubbed
from local.identities import JOHN
from local.places import ROOT
from local.records import write_private
from local.stack import CLI, Stack
from tests.edge.proxy import Admit, EdgeProxy, Settings
from tests.edge.tunnel import Kind
from tests.integration.edges import NODE_TAGS, through
from tests.integration.following import PATIENCE, asked, client, in_status, shell
from tests.integration.namespaces import API, MQTT, Namespace, cable
from tests.unit.net.authority import Authority

pytestmark = [pytest.mark.stack, pytest.mark.root, pytest.mark.timeout(200)]

HTTPS = 443
#: Tries to connect to each address given; prints what became of it, one a line.
PROBE = """
import socket, sys
for address in sys.argv[1:]:
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 3).close()
        print(0)
    except OSError as error:
        print(error.errno or "timeout")
"""
#: Asks a path of a server, whose certificate is of no interest here; prints the status.
ASK = """
import http.client, ssl, sys
host, path = sys.argv[1:]
context = ssl._create_unverified_context()
connection = http.client.HTTPSConnection(host, 443, timeout=10, context=context)
connection.request("GET", path)
print(connection.getresponse().status)
"""


@dataclass(frozen=True, slots=True)
class Isolated:
    """A node in a namespace of its own, with the two endpoints that it can reach."""

    node: str
    inside: Namespace
    outside: Namespace
    api: EdgeProxy
    mqtt: EdgeProxy

    @property
    def inode(self) -> int:
        return self.inside.file.stat().st_ino


@pytest.fixture(scope="module")
def isolated(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Isolated]:
    """The agent runs; whether it gets online is for the tests to see."""
    authority = Authority(tmp_path_factory.mktemp("endpoints"))
    agent_path = re.compile(rf"/_aws/execute-api/{stack.stacks['AgentApiId']}/[^/]+/agent/.+")
    with ExitStack() as undo:
        inside, outside = undo.enter_context(cable())

        def endpoint(address: str, admit: Admit) -> EdgeProxy:
            pair = authority.file(address)
            settings = Settings(
                upstream=("127.0.0.1", stack.emulator.port),
                upstream_ca=stack.places.ca_bundle,
                certificate=(pair, pair),
                listener=outside.listen(address, HTTPS),
                admit=admit,
            )
            return undo.enter_context(EdgeProxy(settings))

        api = endpoint(API, lambda method, path: agent_path.fullmatch(path) is not None)
        mqtt = endpoint(MQTT, lambda method, path: (method, path) == ("GET", "/mqtt"))
        node = stack.run_instance(NODE_TAGS)
        undo.enter_context(agent_in(inside, stack, node, authority.bundle))
        yield Isolated(node, inside, outside, api, mqtt)


@contextmanager
def agent_in(inside: Namespace, stack: Stack, node: str, bundle: Path) -> Iterator[None]:
    """The node's agent, with credentials that were fetched for it outside."""
    overrides = through(stack, f"{API}:{HTTPS}", f"{MQTT}:{HTTPS}") | {"ca_bundle": str(bundle)}
    directory = agents.configure(stack.emulator, stack.stacks, stack.demo.role, node, overrides)
    found = stack.instance_credentials(node)
    write_private(
        directory / "fetched",
        f"[default]\naws_access_key_id = {found.access_key}\n"
        f"aws_secret_access_key = {found.secret_key}\naws_session_token = {found.token}\n",
    )
    environ = scrubbed(stack.base, stack.places) | {
        "HATCHWAY_AGENT_CONFIG": str(directory / "agent.toml"),
        "AWS_CONFIG_FILE": str(directory / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "fetched"),
    }
    command = inside.command(sys.executable, "-m", "agent")
    with stack.places.log(f"agent-{node}").open("ab") as log:
        agent = subprocess.Popen(
            command, env=environ, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        agent.terminate()
        agent.wait(20)


async def test_a_session_works_over_two_endpoints_and_nothing_listens(
    stack: Stack, isolated: Isolated
) -> None:
    john = client(stack)
    await asked(lambda: john.connected(isolated.node) or None, PATIENCE, "online")
    async with shell(john, isolated.node) as follower:
        await follower.enter("readlink /proc/self/ns/net; echo iso''lated")
        await follower.printed(r"isolated\r\n")
        assert f"net:[{isolated.inode}]".encode() in follower.output
        # The control channel, and the session's own.
        assert isolated.mqtt.tunnels(Kind.MQTT) == 2
        assert isolated.inside.run("ss", "-Hntu") != ""
        assert isolated.inside.run("ss", "-Hlntu") == ""
        await follower.enter("exit 9")
        assert (await follower.told(Ended)).exit_code == 9
    await in_status(john, follower.session_id, "Terminated")
    assert isolated.api.counts["request"] > 0
    # It asked for nothing beyond.
    assert isolated.api.refused == isolated.mqtt.refused == []


async def test_the_command_line_opens_a_session_on_it(stack: Stack, isolated: Isolated) -> None:
    john = client(stack)
    await asked(lambda: john.connected(isolated.node) or None, PATIENCE, "online")
    done = await asyncio.to_thread(
        subprocess.run,
        [*CLI, "start-session", "--target", isolated.node],
        env=stack.environ(JOHN),
        input=b"echo $((6 * 7)) isolated; exit 4\n",
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert b"42 isolated" in done.stdout
    assert done.returncode == 4, done.stderr


def test_nothing_else_can_be_reached_from_there(stack: Stack, isolated: Isolated) -> None:
    routes = isolated.inside.run("ip", "route").splitlines()
    assert sorted(line.split()[0] for line in routes) == [API, MQTT]
    assert isolated.inside.run("ip", "-6", "route") == ""
    port = stack.emulator.port
    unreachable = ["169.254.169.254:80", "8.8.8.8:53", f"127.0.0.1:{port}", "192.0.2.3:443"]
    closed = [f"{API}:80", f"{MQTT}:80", f"{API}:{port}", f"{MQTT}:{port}", f"{API}:22"]
    open_ones = [f"{API}:{HTTPS}", f"{MQTT}:{HTTPS}"]
    addresses = [*unreachable, *closed, *open_ones]
    found = isolated.inside.run(sys.executable, "-c", PROBE, *addresses).split()
    expected = [errno.ENETUNREACH] * len(unreachable) + [errno.ECONNREFUSED] * len(closed)
    assert [int(code) for code in found] == [*expected, 0, 0]


@pytest.mark.parametrize("address", [API, MQTT])
def test_the_endpoints_let_nothing_else_pass(
    stack: Stack, isolated: Isolated, address: str
) -> None:
    stacks = stack.stacks
    for path in (
        "/",
        "/_ministack/health",
        f"/_aws/execute-api/{stacks['PeopleApiId']}/local/sessions",
        f"/_aws/execute-api/{stacks['AgentApiId']}/local/sessions",
        f"/_aws/execute-api/{stacks['PeopleApiId']}/local/agent/x/channel",
    ):
        assert isolated.inside.run(sys.executable, "-c", ASK, address, path).strip() == "403"


def test_namespaces_are_gone_afterwards() -> None:
    with cable() as (inside, outside):
        assert inside.file.exists()
        assert outside.file.exists()
    assert not inside.file.exists()
    assert not outside.file.exists()
