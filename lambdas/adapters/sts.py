"""STS: an hour of the channel role for one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatchway.core.errors import InternalServerError
from hatchway.core.names import node_id as checked_node_id
from lambdas.adapters import aws
from lambdas.ports import Credentials

if TYPE_CHECKING:
    from mypy_boto3_sts.client import STSClient

PATIENCE = aws.Patience(connect=1.0, read=4.0, attempts=3)
#: Role chaining gives an hour at most.
LIFE = 3600
#: STS takes this many characters of plain text.
MAX_POLICY = 2048


class StsChannelCredentials:
    """The port ChannelCredentials; `role_arn` is CHANNEL_ROLE_ARN."""

    def __init__(self, role_arn: str, client: STSClient | None = None) -> None:
        self._role_arn = role_arn
        self._client: STSClient = client or aws.client("sts", PATIENCE)

    def issue(self, node_id: str, policy: str) -> Credentials:
        # Without a session policy the credentials would be every node's.
        if not 0 < len(policy) <= MAX_POLICY:
            raise InternalServerError("The node's session policy has a wrong size.")
        with aws.calling("STS"):
            answer = self._client.assume_role(
                RoleArn=self._role_arn,
                RoleSessionName=checked_node_id(node_id),
                DurationSeconds=LIFE,
                Policy=policy,
            )
        given = answer["Credentials"]
        return Credentials(
            access_key_id=given["AccessKeyId"],
            secret_access_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
            expiration=given["Expiration"].timestamp(),
        )
