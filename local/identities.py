"""The demo's people in IAM: admin, john and mary, and whomever a test needs besides."""

from __future__ import annotations

import configparser
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from botocore.credentials import ReadOnlyCredentials

from local.emulator import Emulator
from local.places import Places
from local.records import write_private

Statement = Mapping[str, object]

ADMIN, JOHN, MARY = "admin", "john", "mary"

_SEE: Statement = {
    "Effect": "Allow",
    "Action": [
        "ssm:DescribeSessions",
        "ssm:GetConnectionStatus",
        "ssm:DescribeInstanceInformation",
    ],
    "Resource": "*",
}
_OWN_SESSIONS: Statement = {
    "Effect": "Allow",
    "Action": ["ssm:ResumeSession", "ssm:TerminateSession"],
    "Resource": "arn:aws:ssm:*:*:session/${aws:username}-*",
}
_START_ON_WEB: Statement = {
    "Effect": "Allow",
    "Action": "ssm:StartSession",
    "Resource": "arn:aws:ec2:*:*:instance/*",
    "Condition": {"StringEquals": {"ssm:resourceTag/team": "web"}},
}
#: Who may open a shell there may run a command there as well.
_START_WITH_DEFAULT_DOCUMENT: Statement = {
    "Effect": "Allow",
    "Action": "ssm:StartSession",
    "Resource": [
        "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell",
        "arn:aws:ssm:*:*:document/AWS-StartInteractiveCommand",
        "arn:aws:ssm:*:*:document/AWS-StartNonInteractiveCommand",
    ],
}
_EVERYTHING: Statement = {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}
_EXPLAIN: Statement = {
    "Effect": "Allow",
    "Action": "iam:SimulatePrincipalPolicy",
    "Resource": "*",
}

_LOOK_UP: Statement = {
    "Effect": "Allow",
    "Action": "cloudtrail:LookupEvents",
    "Resource": "*",
}

#: What each may do, beside the stack's managed policy that opens the API's paths.
STATEMENTS: Mapping[str, Sequence[Statement]] = {
    ADMIN: (_EVERYTHING, _EXPLAIN, _LOOK_UP),
    JOHN: (_START_ON_WEB, _START_WITH_DEFAULT_DOCUMENT, _OWN_SESSIONS, _SEE),
    MARY: (_SEE,),
}


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user and its one access key."""

    name: str
    arn: str
    credentials: ReadOnlyCredentials


def make_user(
    emulator: Emulator, name: str, managed_policy: str, statements: Sequence[Statement]
) -> User:
    """A new IAM user with the managed policy attached and the statements inline."""
    iam = emulator.client("iam")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    iam.attach_user_policy(UserName=name, PolicyArn=managed_policy)
    iam.put_user_policy(UserName=name, PolicyName="demo", PolicyDocument=policy(statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return User(name, arn, ReadOnlyCredentials(key["AccessKeyId"], key["SecretAccessKey"], None))


def policy(statements: Sequence[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def write_credentials(places: Places, users: Sequence[User]) -> None:
    """The AWS credentials file with one profile for each user."""
    file = configparser.RawConfigParser()
    for user in users:
        file[user.name] = {
            "aws_access_key_id": user.credentials.access_key or "",
            "aws_secret_access_key": user.credentials.secret_key or "",
        }
    text = io.StringIO()
    file.write(text)
    write_private(places.credentials, text.getvalue())


def read_credentials(places: Places, profile: str) -> ReadOnlyCredentials:
    """A profile of that file."""
    file = configparser.RawConfigParser()
    file.read(places.credentials)
    section = file[profile]
    return ReadOnlyCredentials(section["aws_access_key_id"], section["aws_secret_access_key"], None)
