"""SNS: texts for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdas.adapters import aws

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient

PATIENCE = aws.Patience(connect=1.0, read=3.0, attempts=3)


class Topic:
    """The port Notices; `arn` is the topic's."""

    def __init__(self, arn: str, client: SNSClient | None = None) -> None:
        self._arn = arn
        self._client: SNSClient = client or aws.client("sns", PATIENCE)

    def publish(self, subject: str, text: str) -> None:
        with aws.calling("SNS"):
            self._client.publish(TopicArn=self._arn, Subject=subject, Message=text)
