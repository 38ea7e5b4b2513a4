"""EC2 instances and their instance profiles, as AWS itself describes them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hatchway.core.errors import InternalServerError, NodeRefused
from lambdas.adapters import aws
from lambdas.adapters.cache import Cache
from lambdas.ports import Clock, InstanceFacts

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client
    from mypy_boto3_iam.client import IAMClient

PATIENCE = aws.Patience(connect=1.0, read=4.0, attempts=3)
#: Seconds that facts are kept; of an instance that is absent or not running, so short a time that
#: one which just starts is not kept waiting.
LIFE = 300.0
#: The same where tags decide about access.
FRESH = 10.0
ABSENT_LIFE = 15.0
#: Instances and profiles kept; instances asked for at once, and pages read of an answer.
MAX_KEPT = 2000
BATCH = 100
MAX_PAGES = 10
#: The instance lives: its metadata service may hand out credentials before EC2 says "running".
RUNNING = frozenset({"pending", "running"})
_PROFILE = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:instance-profile/(?:[!-.0-~]+/)*([\w+=,.@-]+)\Z")


class Ec2Instances:
    """The port Instances; `life` is how many seconds facts are kept, at most."""

    def __init__(
        self,
        clock: Clock = time.monotonic,
        client: EC2Client | None = None,
        iam: IAMClient | None = None,
        life: float = LIFE,
    ) -> None:
        self._client: EC2Client = client or aws.client("ec2", PATIENCE)
        self._iam: IAMClient = iam or aws.client("iam", PATIENCE)
        self.life = life
        self._facts: Cache[str, InstanceFacts | None] = Cache(MAX_KEPT, LIFE, clock)
        self._profiles: Cache[str, str] = Cache(MAX_KEPT, LIFE, clock)

    def facts(self, node_id: str) -> InstanceFacts | None:
        return self.facts_of([node_id]).get(node_id)

    def facts_of(self, node_ids: Sequence[str]) -> Mapping[str, InstanceFacts]:
        kept = {node_id: self._facts.peek(node_id) for node_id in node_ids}
        missing = [node_id for node_id, found in kept.items() if found is None]
        facts = {node_id: found[0] for node_id, found in kept.items() if found is not None}
        for start in range(0, len(missing), BATCH):
            facts.update(self._fetch(missing[start : start + BATCH]))
        return {node_id: found for node_id, found in facts.items() if found is not None}

    def profile_role(self, profile_arn: str) -> str:
        found = self._profiles.peek(profile_arn)
        if found is None:
            found = (self._role_in(profile_arn),)
            self._profiles.put(profile_arn, found[0], LIFE if found[0] else ABSENT_LIFE)
        return found[0]

    def _fetch(self, node_ids: list[str]) -> dict[str, InstanceFacts | None]:
        facts: dict[str, InstanceFacts | None] = dict.fromkeys(node_ids)
        for instance in self._describe(node_ids):
            if instance["InstanceId"] in facts:
                facts[instance["InstanceId"]] = _facts(instance)
        for node_id, found in facts.items():
            running = found is not None and found.running
            self._facts.put(node_id, found, self.life if running else min(self.life, ABSENT_LIFE))
        return facts

    def _describe(self, node_ids: list[str]) -> list[dict[str, Any]]:
        # By filter and not by id: one unknown id would have EC2 refuse the whole batch.
        wanted: dict[str, Any] = {"Filters": [{"Name": "instance-id", "Values": node_ids}]}
        found: list[dict[str, Any]] = []
        for _ in range(MAX_PAGES):
            with aws.calling("EC2"):
                answer: dict[str, Any] = dict(self._client.describe_instances(**wanted))
            found += [i for group in answer["Reservations"] for i in group["Instances"]]
            if not answer.get("NextToken"):
                return found
            wanted["NextToken"] = answer["NextToken"]
        raise InternalServerError("EC2 describes more instances than were asked for.")

    def _role_in(self, profile_arn: str) -> str:
        name = _PROFILE.match(profile_arn)
        if name is None:
            return ""
        try:
            with aws.calling("IAM", {"NoSuchEntity": NodeRefused}):
                answer = self._iam.get_instance_profile(InstanceProfileName=name[1])
        except NodeRefused:
            return ""
        profile = answer["InstanceProfile"]
        if profile["Arn"] != profile_arn or len(profile["Roles"]) != 1:
            return ""
        return profile["Roles"][0]["RoleId"]


def _facts(instance: dict[str, Any]) -> InstanceFacts:
    return InstanceFacts(
        node_id=instance["InstanceId"],
        running=instance.get("State", {}).get("Name") in RUNNING,
        profile_arn=instance.get("IamInstanceProfile", {}).get("Arn", ""),
        tags={tag["Key"]: tag.get("Value", "") for tag in instance.get("Tags", [])},
    )
