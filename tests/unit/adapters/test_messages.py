"""AWS's answers to @connections, IoT Core, STS and EventBridge, and what they mean."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from hatchway.core.errors import (
    HatchwayError,
    InternalServerError,
    PayloadTooLarge,
    ThrottlingException,
)
from lambdas.adapters import sts
from lambdas.adapters.connections import PATIENCE, UPLOAD_PATIENCE, ApiClients
from lambdas.adapters.crypto import cipher
from lambdas.adapters.events import EventBridge
from lambdas.adapters.iot import IotDownlink, IotPresence
from lambdas.adapters.sts import StsChannelCredentials
from tests.unit.adapters.stubs import Answer, Scripted, refused

NODE = "i-0123456789abcdef0"
SESSION = "a+b=c,d.e@f-0123456789abcdef0"


def clients(*answers: Answer) -> tuple[ApiClients, Scripted]:
    client = Scripted(*answers)
    return ApiClients("https://x.invalid", client), client  # type: ignore[arg-type]


class TestClients:
    def test_text_is_sent_as_it_is(self) -> None:
        made, client = clients({})
        assert made.post("AbC=", "ü\n") is True
        assert client.calls == [
            ("post_to_connection", {"ConnectionId": "AbC=", "Data": "ü\n".encode()})
        ]

    def test_410_says_that_the_client_is_gone(self) -> None:
        made, _ = clients(refused("GoneException", 410))
        assert made.post("c", "x") is False

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (refused("LimitExceededException", 429), ThrottlingException),
            (refused("", 429), ThrottlingException),
            (refused("PayloadTooLargeException", 413), PayloadTooLarge),
            (refused("ForbiddenException", 403), InternalServerError),
            (refused("", 500), InternalServerError),
        ],
    )
    def test_every_other_answer_is_an_error(
        self, answer: Exception, error: type[HatchwayError]
    ) -> None:
        made, _ = clients(answer)
        with pytest.raises(error):
            made.post("c", "x")

    def test_a_closed_connection_is_closed_again_in_silence(self) -> None:
        made, client = clients(
            {}, refused("GoneException", 410), refused("ForbiddenException", 403)
        )
        made.close("c")
        made.close("c")
        assert client.calls == [("delete_connection", {"ConnectionId": "c"})] * 2
        with pytest.raises(InternalServerError):
            made.close("c")

    def test_a_young_connection_that_seems_gone_is_closed_as_soon_as_it_is_there(self) -> None:
        gone = refused("GoneException", 410)
        client, pauses = Scripted(gone, gone, {}), list[float]()
        made = ApiClients("https://x.invalid", client, pause=pauses.append)  # type: ignore[arg-type]
        made.close("c", young=True)
        assert [method for method, _ in client.calls] == ["delete_connection"] * 3
        assert pauses == [0.1, 0.2]

    def test_a_young_connection_that_stays_gone_is_given_up_after_two_seconds(self) -> None:
        client = Scripted(*[refused("GoneException", 410)] * 6)
        pauses: list[float] = []
        made = ApiClients("https://x.invalid", client, pause=pauses.append)  # type: ignore[arg-type]
        made.close("c", young=True)
        assert len(client.calls) == 6
        assert sum(pauses) == pytest.approx(2.0)

    def test_an_end_is_told_in_one_attempt_and_output_in_two(self) -> None:
        assert PATIENCE.worst <= 3.0
        assert (PATIENCE.attempts, UPLOAD_PATIENCE.attempts) == (1, 2)


class TestDownlink:
    def test_a_hint_says_which_session_and_nothing_more(self) -> None:
        client = Scripted({})
        IotDownlink("local", client=client).hint(NODE, SESSION)  # type: ignore[arg-type]
        ((method, sent),) = client.calls
        assert method == "publish"
        assert (sent["topic"], sent["qos"]) == (f"hatchway/local/{NODE}/control", 1)
        assert json.loads(sent["payload"]) == {"v": 1, "session": SESSION}

    def test_data_goes_to_the_topic_of_the_session_s_digits(self) -> None:
        client = Scripted({})
        IotDownlink("local", client=client).data(NODE, SESSION, b"sealed")  # type: ignore[arg-type]
        topic = f"hatchway/local/{NODE}/data/0123456789abcdef0"
        assert client.calls == [("publish", {"topic": topic, "qos": 1, "payload": b"sealed"})]

    def test_a_lost_hint_is_logged_and_not_raised(self, caplog: pytest.LogCaptureFixture) -> None:
        downlink = IotDownlink("local", client=Scripted(refused("X", 500)))  # type: ignore[arg-type]
        with caplog.at_level(logging.WARNING):
            downlink.hint(NODE, SESSION)
        assert "hint" in caplog.text
        assert "secret text" not in caplog.text

    def test_lost_data_is_an_error(self) -> None:
        client = Scripted(refused("ThrottlingException", 429), refused("X", 403))
        downlink = IotDownlink("local", client=client)  # type: ignore[arg-type]
        with pytest.raises(ThrottlingException):
            downlink.data(NODE, SESSION, b"")
        with pytest.raises(InternalServerError):
            downlink.data(NODE, SESSION, b"")


class TestPresence:
    def test_a_connection_that_is_not_there_is_disconnected_in_silence(self) -> None:
        client = Scripted({}, refused("ResourceNotFoundException", 404), refused("X", 403))
        presence = IotPresence(data_client=client)  # type: ignore[arg-type]
        presence.disconnect("hatchway/local/i-1")
        presence.disconnect("hatchway/local/i-1")
        with pytest.raises(InternalServerError):
            presence.disconnect("hatchway/local/i-1")
        assert client.calls[0][0] == "delete_connection"
        assert client.calls[0][1]["clientId"] == "hatchway/local/i-1"

    def test_the_endpoint_is_asked_for_once(self) -> None:
        client = Scripted({"endpointAddress": "data.invalid:443"})
        presence = IotPresence(client=client)  # type: ignore[arg-type]
        assert presence.endpoint() == presence.endpoint() == "data.invalid:443"
        assert client.calls == [("describe_endpoint", {"endpointType": "iot:Data-ATS"})]


class TestChannelCredentials:
    ANSWER: dict[str, Any] = {  # noqa: RUF012 - read only
        "Credentials": {
            "AccessKeyId": "ASIA",
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": datetime(2027, 1, 15, 8, 0, tzinfo=UTC),
        }
    }

    def test_they_are_named_after_the_node_and_cut_down(self) -> None:
        client = Scripted(self.ANSWER)
        given = StsChannelCredentials("arn", client).issue(NODE, "{}")  # type: ignore[arg-type]
        assert client.calls[0][1] == {
            "RoleArn": "arn",
            "RoleSessionName": NODE,
            "DurationSeconds": 3600,
            "Policy": "{}",
        }
        assert given.expiration == 1_800_000_000.0

    @pytest.mark.parametrize("policy", ["", "x" * (sts.MAX_POLICY + 1)])
    def test_without_a_fitting_policy_there_are_none(self, policy: str) -> None:
        client = Scripted()
        with pytest.raises(InternalServerError):
            StsChannelCredentials("arn", client).issue(NODE, policy)  # type: ignore[arg-type]
        assert client.calls == []

    def test_throttling_is_throttling(self) -> None:
        client = Scripted(refused("Throttling", 400))
        with pytest.raises(ThrottlingException):
            StsChannelCredentials("arn", client).issue(NODE, "{}")  # type: ignore[arg-type]


class TestEventBus:
    def test_an_event_carries_source_type_time_and_detail(self) -> None:
        client = Scripted({"FailedEntryCount": 0, "Entries": [{}]})
        EventBridge("bus", client).put("Kind", {"version": "1"}, 1_800_000_000.0)  # type: ignore[arg-type]
        (entry,) = client.calls[0][1]["Entries"]
        assert entry == {
            "EventBusName": "bus",
            "Source": "hatchway",
            "DetailType": "Kind",
            "Detail": '{"version": "1"}',
            "Time": datetime(2027, 1, 15, 8, 0, tzinfo=UTC),
        }

    @pytest.mark.parametrize(
        ("code", "error"),
        [("ThrottlingException", ThrottlingException), ("InternalFailure", InternalServerError)],
    )
    def test_an_event_that_was_not_taken_is_an_error(
        self, code: str, error: type[HatchwayError]
    ) -> None:
        client = Scripted({"FailedEntryCount": 1, "Entries": [{"ErrorCode": code}]})
        with pytest.raises(error):
            EventBridge("bus", client).put("Kind", {}, 0.0)  # type: ignore[arg-type]


class TestCipher:
    def test_it_is_aes_256_gcm(self) -> None:
        # NIST's test case 14 of "The Galois/Counter Mode of Operation"
        sealed = cipher(bytes(32)).encrypt(bytes(12), bytes(16), None)
        assert sealed.hex() == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"

    def test_a_key_has_32_bytes(self) -> None:
        with pytest.raises(ValueError, match="32"):
            cipher(bytes(16))
