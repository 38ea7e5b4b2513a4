"""AWS's answers to @connections, IoT Core, STS and EventBridge, and what they mean."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
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
from lambdas.adapters.iot import IotDownlink
from lambdas.adapters.presence import IotPresence
from lambdas.adapters.sts import StsChannelCredentials
from tests.unit.adapters.scripted_aws import Says, ScriptedAws, refusal, scripted_aws
from tests.unit.adapters.stubs import Scripted, refused

NODE = "i-0123456789abcdef0"
SESSION = "a+b=c,d.e@f-0123456789abcdef0"
GONE = refusal("GoneException", 410)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    for name, value in {
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
    }.items():
        monkeypatch.setenv(name, value)
    with scripted_aws() as script:
        yield script


def targets(aws: ScriptedAws) -> list[tuple[str, str]]:
    return [(got.method, got.target) for got in aws.got]


class TestClients:
    def test_text_is_sent_as_it_is(self, aws: ScriptedAws) -> None:
        assert ApiClients(f"{aws.url}/local").post("AbC=", "ü\n") is True
        assert targets(aws) == [("POST", "/local/@connections/AbC%3D")]
        assert aws.got[0].body == "ü\n".encode()
        assert "/us-east-1/execute-api/aws4_request" in aws.got[0].headers["authorization"]

    def test_410_says_that_the_client_is_gone(self, aws: ScriptedAws) -> None:
        aws.answers[:] = [GONE]
        assert ApiClients(aws.url).post("c", "x") is False

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (refusal("LimitExceededException", 429), ThrottlingException),
            (Says(429, b""), ThrottlingException),
            (refusal("PayloadTooLargeException", 413), PayloadTooLarge),
            (refusal("ForbiddenException", 403), InternalServerError),
            (Says(500, b""), InternalServerError),
        ],
    )
    def test_every_other_answer_is_an_error(
        self, aws: ScriptedAws, answer: Says, error: type[HatchwayError]
    ) -> None:
        aws.answers[:] = [answer]
        with pytest.raises(error):
            ApiClients(aws.url).post("c", "x")
        assert len(aws.got) == PATIENCE.attempts == 1

    def test_a_closed_connection_is_closed_again_in_silence(self, aws: ScriptedAws) -> None:
        aws.answers[:] = [Says(204, b""), GONE, refusal("ForbiddenException", 403)]
        made = ApiClients(aws.url)
        made.close("c")
        made.close("c")
        assert targets(aws) == [("DELETE", "/@connections/c")] * 2
        with pytest.raises(InternalServerError):
            made.close("c")

    def test_a_young_connection_that_seems_gone_is_closed_as_soon_as_it_is_there(
        self, aws: ScriptedAws
    ) -> None:
        aws.answers[:] = [GONE, GONE, Says(204, b"")]
        pauses: list[float] = []
        ApiClients(aws.url, pause=pauses.append).close("c", young=True)
        assert len(aws.got) == 3
        assert pauses == [0.1, 0.2]

    def test_a_young_connection_that_stays_gone_is_given_up_after_two_seconds(
        self, aws: ScriptedAws
    ) -> None:
        aws.answers[:] = [GONE] * 6
        pauses: list[float] = []
        ApiClients(aws.url, pause=pauses.append).close("c", young=True)
        assert len(aws.got) == 6
        assert sum(pauses) == pytest.approx(2.0)

    def test_an_end_is_told_in_one_attempt_and_output_in_two(self) -> None:
        assert PATIENCE.worst <= 3.0
        assert (PATIENCE.attempts, UPLOAD_PATIENCE.attempts) == (1, 2)


class TestDownlink:
    def test_a_hint_says_which_session_and_nothing_more(self, aws: ScriptedAws) -> None:
        IotDownlink("local", aws.url).hint(NODE, SESSION)
        assert targets(aws) == [("POST", f"/topics/hatchway%2Flocal%2F{NODE}%2Fcontrol?qos=1")]
        assert json.loads(aws.got[0].body) == {"v": 1, "session": SESSION}
        assert "/us-east-1/iotdata/aws4_request" in aws.got[0].headers["authorization"]

    def test_data_goes_to_the_topic_of_the_session_s_digits(self, aws: ScriptedAws) -> None:
        IotDownlink("local", aws.url).data(NODE, SESSION, b"sealed")
        topic = f"hatchway%2Flocal%2F{NODE}%2Fdata%2F0123456789abcdef0"
        assert targets(aws) == [("POST", f"/topics/{topic}?qos=1")]
        assert aws.got[0].body == b"sealed"

    def test_a_lost_hint_is_logged_and_not_raised(
        self, aws: ScriptedAws, caplog: pytest.LogCaptureFixture
    ) -> None:
        aws.answers[:] = [refusal("X", 403)]
        with caplog.at_level(logging.WARNING):
            IotDownlink("local", aws.url).hint(NODE, SESSION)
        assert "hint" in caplog.text
        assert "secret text" not in caplog.text

    def test_lost_data_is_an_error(self, aws: ScriptedAws) -> None:
        downlink = IotDownlink("local", aws.url)
        aws.answers[:] = [refusal("ThrottlingException", 429)] * 2
        with pytest.raises(ThrottlingException):
            downlink.data(NODE, SESSION, b"")
        aws.answers[:] = [refusal("X", 403)]
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
