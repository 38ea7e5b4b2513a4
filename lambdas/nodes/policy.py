"""The session policy that cuts the channel role down to one node: literal ARNs, no variables.

A permission must stand here and in the role; neither alone gives anything.
"""

from __future__ import annotations

import json
import re

from hatchway.core.names import Topics

#: STS takes this many characters of plain text.
MAX_POLICY = 2048

_API = re.compile(
    r"(?P<head>arn:(?P<partition>aws[a-z-]*):execute-api:(?P<place>[a-z0-9-]+:[0-9]{12}):)"
    r"[a-z0-9]+/[A-Za-z0-9_-]+\Z"
)


class PolicyPlace:
    """Where a deployment's nodes go: the agent API (`arn:…:execute-api:…:{api}/{stage}`) and the
    stage's part of the account's IoT Core."""

    def __init__(self, agent_api_arn: str, stage: str) -> None:
        found = _API.match(agent_api_arn)
        if found is None:
            raise ValueError("AGENT_API_ARN is not arn:…:execute-api:…:{api}/{stage}")
        self._api = agent_api_arn
        self._iot = f"arn:{found['partition']}:iot:{found['place']}"
        self._stage = stage

    def policy(self, node: str) -> str:
        """What the node may do with its credentials: its own client ids and topics, and the agent
        API's session routes and reports; not `channel`, which takes the instance's own role."""
        root = Topics(self._stage, node).root
        statements = [
            _allow("iot:Connect", f"{self._iot}:client/{root}", f"{self._iot}:client/{root}/*"),
            _allow("iot:Subscribe", f"{self._iot}:topicfilter/{root}/*"),
            _allow("iot:Receive", f"{self._iot}:topic/{root}/*"),
            _allow(
                "execute-api:Invoke",
                f"{self._api}/GET/agent/{node}/sessions",
                f"{self._api}/POST/agent/{node}/sessions/*",
                f"{self._api}/POST/agent/{node}/reports",
            ),
        ]
        text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
        if len(text) > MAX_POLICY:
            raise ValueError(f"a session policy has at most {MAX_POLICY} characters")
        return text


def _allow(action: str, *resources: str) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources)}
