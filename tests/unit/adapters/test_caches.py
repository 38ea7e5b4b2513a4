"""What is kept, for how long and how much: the cache, EC2's facts, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hatchway.core.errors import InternalServerError, ThrottlingException
from lambdas.adapters import ec2, secrets
from lambdas.adapters.cache import Cache
from lambdas.adapters.calls import Expected, meant
from lambdas.adapters.ec2 import Ec2Instances
from lambdas.adapters.secrets import ManagedSecret
from lambdas.memory.clock import ManualClock
from tests.unit.adapters.stubs import Answer, Scripted, refused

NOW = 1_800_000_000.0


class TestCache:
    def test_an_entry_lives_its_time_and_none_is_a_value(self) -> None:
        clock = ManualClock()
        cache: Cache[str, int | None] = Cache(2, 10.0, clock)
        cache.put("a", None)
        clock.advance(9.9)
        assert cache.peek("a") == (None,)
        clock.advance(0.1)
        assert cache.peek("a") is None

    def test_it_holds_its_size_and_drops_the_oldest(self) -> None:
        cache: Cache[str, int] = Cache(2, 10.0, ManualClock())
        for n, key in enumerate("abac"):
            cache.put(key, n)
        assert len(cache) == 2
        assert (cache.peek("a"), cache.peek("b"), cache.peek("c")) == ((2,), None, (3,))

    def test_a_failed_load_is_not_kept(self) -> None:
        cache: Cache[str, int] = Cache(2, 10.0, ManualClock())
        with pytest.raises(ZeroDivisionError):
            cache.get("a", lambda: 1 // 0)
        assert cache.get("a", lambda: 1) == 1
        assert cache.get("a", lambda: 2) == 1


def described(*nodes: str, state: str = "running", **more: Any) -> dict[str, Any]:
    instances = [{"InstanceId": node, "State": {"Name": state}} for node in nodes]
    return {"Reservations": [{"Instances": instances}], **more}


def instances(*answers: Answer) -> tuple[Ec2Instances, Scripted, ManualClock]:
    client, clock = Scripted(*answers), ManualClock()
    return Ec2Instances(clock, client, client), client, clock  # type: ignore[arg-type]


class TestInstances:
    def test_with_no_life_every_question_is_asked_anew(self) -> None:
        client = Scripted(described("i-1"), described("i-1", state="stopped"), described())
        made = Ec2Instances(ManualClock(), client, client, life=0.0)  # type: ignore[arg-type]
        found = [made.facts_of(["i-1"]).get("i-1") for _ in range(3)]
        assert [facts.running if facts else None for facts in found] == [True, False, None]

    def test_facts_are_kept_for_five_minutes(self) -> None:
        made, client, clock = instances(described("i-1"), described("i-1", state="stopped"))
        assert made.facts("i-1") is made.facts("i-1")
        clock.advance(ec2.LIFE - 0.1)
        known = made.facts("i-1")
        assert known is not None
        assert known.running
        assert len(client.calls) == 1
        clock.advance(0.1)
        known = made.facts("i-1")
        assert known is not None
        assert not known.running

    @pytest.mark.parametrize("first", [described(), described("i-1", state="stopped")])
    def test_an_instance_that_may_start_is_asked_for_again_soon(
        self, first: dict[str, Any]
    ) -> None:
        made, client, clock = instances(first, described("i-1"))
        made.facts("i-1")
        made.facts("i-1")
        assert len(client.calls) == 1
        clock.advance(ec2.ABSENT_LIFE)
        known = made.facts("i-1")
        assert known is not None
        assert known.running

    @pytest.mark.parametrize(
        ("state", "running"),
        [
            ("pending", True),
            ("running", True),
            ("shutting-down", False),
            ("terminated", False),
            ("stopping", False),
            ("stopped", False),
            ("new-in-aws", False),
        ],
    )
    def test_only_a_living_instance_runs(self, state: str, running: bool) -> None:
        made, _, _ = instances(described("i-1", state=state))
        known = made.facts("i-1")
        assert known is not None
        assert known.running is running

    def test_many_are_asked_for_in_batches_and_only_the_unknown(self) -> None:
        nodes = [f"i-{n}" for n in range(ec2.BATCH + 2)]
        made, client, _ = instances(
            described(nodes[0]), described(*nodes[1 : ec2.BATCH + 1]), described(nodes[-1])
        )
        made.facts(nodes[0])
        assert set(made.facts_of(nodes)) == set(nodes)
        asked = [call[1]["Filters"][0]["Values"] for call in client.calls]
        assert asked == [nodes[:1], nodes[1 : ec2.BATCH + 1], nodes[-1:]]

    def test_an_instance_that_was_not_asked_for_is_no_answer(self) -> None:
        made, _, _ = instances(described("i-2"))
        assert made.facts("i-1") is None

    def test_an_answer_in_pages_is_read_to_its_end(self) -> None:
        made, client, _ = instances(described(NextToken="t"), described("i-1"))
        assert made.facts("i-1") is not None
        assert client.calls[1][1]["NextToken"] == "t"

    def test_an_answer_without_an_end_is_an_error(self) -> None:
        made, _, _ = instances(*[described(NextToken="t")] * ec2.MAX_PAGES)
        with pytest.raises(InternalServerError):
            made.facts("i-1")

    def test_throttling_is_throttling_and_not_an_absent_instance(self) -> None:
        made, _, _ = instances(refused("RequestLimitExceeded", 503), described("i-1"))
        with pytest.raises(ThrottlingException):
            made.facts("i-1")
        assert made.facts("i-1") is not None

    def test_a_profile_s_role_is_kept_and_its_absence_shortly(self) -> None:
        arn = "arn:aws:iam::000000000000:instance-profile/a/b/p"
        found = {"InstanceProfile": {"Arn": arn, "Roles": [{"RoleId": "AROA"}]}}
        made, client, clock = instances(refused("NoSuchEntity", 404), found)
        assert made.profile_role(arn) == made.profile_role(arn) == ""
        clock.advance(ec2.ABSENT_LIFE)
        assert made.profile_role(arn) == made.profile_role(arn) == "AROA"
        assert [call[1] for call in client.calls] == [{"InstanceProfileName": "p"}] * 2

    @pytest.mark.parametrize(
        ("arn", "roles"),
        [
            ("arn:aws:iam::000000000000:instance-profile/other/p", [{"RoleId": "AROA"}]),
            ("arn:aws:iam::000000000000:instance-profile/p", []),
        ],
    )
    def test_a_profile_of_another_path_or_without_role_has_none(
        self, arn: str, roles: list[dict[str, str]]
    ) -> None:
        made, _, _ = instances({"InstanceProfile": {"Arn": arn, "Roles": roles}})
        assert made.profile_role("arn:aws:iam::000000000000:instance-profile/p") == ""

    def test_a_failing_iam_is_an_error(self) -> None:
        made, _, _ = instances(refused("ServiceFailure", 500))
        with pytest.raises(InternalServerError):
            made.profile_role("arn:aws:iam::000000000000:instance-profile/p")


def version(n: int, made: float = NOW - 86400.0) -> dict[str, Any]:
    return {
        "VersionId": f"{n:08d}-and-more",
        "SecretString": f"value {n}",
        "CreatedDate": made,
    }


class SecretCalls:
    """Secrets Manager's answers, one a call: members, or an AWS code and status."""

    def __init__(self, *answers: dict[str, Any] | tuple[str, int]) -> None:
        self.calls: list[tuple[str, Mapping[str, object]]] = []
        self._answers = list(answers)

    def json(
        self, target: str, members: Mapping[str, object], expected: Expected
    ) -> Mapping[str, object]:
        self.calls.append((target, members))
        answer = self._answers.pop(0)
        if isinstance(answer, tuple):
            raise meant("Secrets Manager", *answer, expected)
        return answer


NONE = ("ResourceNotFoundException", 400)


def secret(
    *answers: dict[str, Any] | tuple[str, int],
) -> tuple[ManagedSecret, SecretCalls, ManualClock]:
    calls, clock = SecretCalls(*answers), ManualClock(NOW)
    return ManagedSecret("seal", clock, calls), calls, clock


class TestSecrets:
    def test_it_is_read_once_with_both_labels(self) -> None:
        made, client, _ = secret(version(2), version(1))
        assert made.current().key_id == "00000002"
        assert made.version("00000001") is not None
        assert [call[1]["VersionStage"] for call in client.calls] == ["AWSCURRENT", "AWSPREVIOUS"]

    def test_bytes_and_text_are_both_values(self) -> None:
        made, _, _ = secret({**version(1), "SecretBinary": "AP8="}, NONE)
        assert made.current().value == b"\x00\xff"
        made, _, _ = secret(version(1), NONE)
        assert made.current().value == b"value 1"

    def test_an_unknown_key_id_rereads_once_a_minute(self) -> None:
        made, client, clock = secret(version(1), NONE, version(2), version(1))
        assert made.version("00000002") is None
        assert len(client.calls) == 2
        clock.advance(secrets.REREAD)
        assert made.version("00000002") is not None
        assert made.version("00000009") is None
        assert len(client.calls) == 4

    def test_a_new_version_is_used_once_every_function_can_know_it(self) -> None:
        young = version(2, NOW)
        made, _, clock = secret(young, version(1), *[young, version(1)] * 9)
        assert made.current().key_id == "00000001"
        assert made.version("00000002") is not None
        clock.advance(secrets.SETTLED - 0.1)
        assert made.current().key_id == "00000001"
        clock.advance(0.1)
        assert made.current().key_id == "00000002"

    def test_the_first_version_of_all_is_used_at_once(self) -> None:
        made, _, _ = secret(version(1, NOW), NONE)
        assert made.current().key_id == "00000001"

    def test_it_is_read_again_after_a_while(self) -> None:
        made, _, clock = secret(version(1), NONE, version(2), version(1))
        clock.advance(secrets.REFRESH)
        assert made.current().key_id == "00000002"

    def test_what_is_known_survives_a_failing_service(self) -> None:
        made, client, clock = secret(version(1), NONE, ("X", 500), version(2), version(1))
        clock.advance(secrets.REFRESH)
        assert made.current().key_id == "00000001"
        assert made.current().key_id == "00000001"
        assert len(client.calls) == 3
        clock.advance(secrets.REFRESH)
        assert made.current().key_id == "00000002"

    @pytest.mark.parametrize(
        "answers",
        [
            (NONE,),
            (("AccessDeniedException", 400),),
            ({**version(1), "SecretString": ""},),
            ({**version(1), "VersionId": None},),
            ({**version(1), "CreatedDate": "today"},),
        ],
    )
    def test_without_a_current_version_nothing_starts(self, answers: tuple[Any, ...]) -> None:
        with pytest.raises(InternalServerError):
            secret(*answers)

    def test_a_failing_read_of_the_previous_version_is_no_absence(self) -> None:
        with pytest.raises(ThrottlingException):
            secret(version(1), ("ThrottlingException", 400))
