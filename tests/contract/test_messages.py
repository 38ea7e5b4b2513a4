"""The ports Clients, Downlink, Presence, ChannelCredentials and EventBus, memory and AWS alike."""

from __future__ import annotations

import json
import uuid

import pytest

from hatchway.core.errors import PayloadTooLarge, ValidationException
from lambdas.adapters.connections import ApiClients
from lambdas.adapters.events import EventBridge
from lambdas.adapters.iot import IotDownlink
from lambdas.adapters.presence import IotPresence
from lambdas.adapters.sts import StsChannelCredentials
from lambdas.memory.clock import ManualClock
from lambdas.memory.connections import MemoryClients
from lambdas.memory.events import MemoryEventBus
from lambdas.memory.iot import MemoryDownlink, MemoryPresence
from lambdas.memory.sts import MemoryChannelCredentials
from lambdas.ports import ChannelCredentials, Clients, Downlink, EventBus, Presence
from tests.contract.cloud import Cloud

NODE = "i-0123456789abcdef0"
SESSION = "a+b=c,d.e@f-0123456789abcdef0"
KB = 1024


@pytest.fixture
def clients(cloud: Cloud | None, request: pytest.FixtureRequest) -> Clients:
    if cloud is None:
        return MemoryClients()
    if not cloud.endpoint:
        pytest.skip("moto answers the SDK only; the unit tests hold API Gateway's answers")
    api = cloud.client("apigatewayv2").create_api(
        Name="stream", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )
    url = f"{cloud.endpoint}/_aws/execute-api/{api['ApiId']}/local"
    return ApiClients(url)


class TestClients:
    def test_a_connection_that_is_gone_takes_nothing(self, clients: Clients) -> None:
        assert clients.post("Z29uZQ==", "text") is False

    @pytest.mark.parametrize("young", [False, True])
    def test_closing_what_is_gone_is_silent(self, clients: Clients, young: bool) -> None:
        clients.close("Z29uZQ==", young)

    def test_a_message_has_at_most_128_kb(self, clients: Clients) -> None:
        with pytest.raises(PayloadTooLarge):
            clients.post("Z29uZQ==", "ü" * (64 * KB) + "x")
        assert clients.post("Z29uZQ==", "ü" * (64 * KB)) is False


@pytest.fixture
def downlink(cloud: Cloud | None) -> Downlink:
    if cloud is None:
        return MemoryDownlink()
    if not cloud.endpoint:
        pytest.skip("moto answers the SDK only")
    return IotDownlink("local", cloud.endpoint)


class TestDownlink:
    def test_hints_and_data_are_taken(self, downlink: Downlink) -> None:
        downlink.hint(NODE, SESSION)
        downlink.data(NODE, SESSION, bytes(range(256)))

    def test_a_sealed_message_has_at_most_128_kb(self, downlink: Downlink) -> None:
        downlink.data(NODE, SESSION, bytes(128 * KB))
        with pytest.raises(PayloadTooLarge):
            downlink.data(NODE, SESSION, bytes(128 * KB + 1))


class TestPresence:
    def test_the_endpoint_is_a_host(self, cloud: Cloud | None) -> None:
        presence: Presence = (
            MemoryPresence() if cloud is None else IotPresence(client=cloud.client("iot"))
        )
        host = presence.endpoint()
        assert host
        assert "/" not in host
        assert presence.endpoint() == host


@pytest.fixture
def channel(cloud: Cloud | None, clock: ManualClock) -> ChannelCredentials:
    if cloud is None:
        return MemoryChannelCredentials(clock)
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    role = cloud.client("iam").create_role(
        RoleName=f"channel-{uuid.uuid4().hex}", AssumeRolePolicyDocument=json.dumps(trust)
    )
    return StsChannelCredentials(role["Role"]["Arn"], client=cloud.client("sts"))


class TestChannelCredentials:
    def test_they_are_temporary_and_live_an_hour(
        self, channel: ChannelCredentials, cloud: Cloud | None, clock: ManualClock
    ) -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        given = channel.issue(NODE, policy)
        assert given.access_key_id.startswith("ASIA")
        assert given.secret_access_key
        assert given.session_token
        if cloud is None:
            assert given.expiration == clock.now + 3600

    @pytest.mark.parametrize("node", ["", "x", "i-0123456789abcdef0/../x"])
    def test_they_are_for_a_node_only(self, channel: ChannelCredentials, node: str) -> None:
        with pytest.raises(ValidationException):
            channel.issue(node, "{}")


class TestEventBus:
    def test_an_event_is_taken(self, cloud: Cloud | None) -> None:
        bus: EventBus = MemoryEventBus()
        if cloud is not None:
            name = f"hatchway-{uuid.uuid4().hex}"
            cloud.client("events").create_event_bus(Name=name)
            bus = EventBridge(name, client=cloud.client("events"))
        bus.put("Session State Change", {"version": "1", "reason": "ü"}, 1_800_000_000.5)
