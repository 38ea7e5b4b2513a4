"""Who may call what: managed policies allow Invoke alone; only nodes get channel credentials."""

from __future__ import annotations

import re

from tests.infra.conftest import Synth
from tests.infra.templates import Stacks, listed, text


def invocations(stacks: Stacks, policy: str) -> set[str]:
    """`API METHOD/path` of each route that a managed policy allows."""
    found = stacks.service.one("AWS::IAM::ManagedPolicy", ManagedPolicyName=policy)
    routes = set()
    for statement in found["PolicyDocument"]["Statement"]:
        assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
        for resource in listed(statement["Resource"]):
            match = re.search(r":<([A-Za-z]+Api)\w*>/<\w+>/(.+)", text(resource))
            assert match is not None, resource
            routes.add(f"{match[1]} {match[2]}")
    return routes


def test_users_may_invoke_what_opens_sessions(default: Stacks) -> None:
    assert invocations(default, "HatchwayUser-prod") == {
        "PeopleApi POST/nodes/*/sessions",
        "PeopleApi GET/sessions",
        "PeopleApi GET/sessions/*",
        "PeopleApi POST/sessions/*/resume",
        "PeopleApi DELETE/sessions/*",
        "PeopleApi GET/nodes",
        "PeopleApi GET/nodes/*/connection",
        "PeopleApi POST/connections",
    }


def test_administrators_may_admit_and_reset_nodes_besides(default: Stacks) -> None:
    more = invocations(default, "HatchwayAdmin-prod") - invocations(default, "HatchwayUser-prod")
    assert more == {
        "PeopleApi POST/nodes/*/reset",
        "PeopleApi POST/sessions/terminate",
        "PeopleApi GET/node-roles",
        "PeopleApi POST/node-roles",
        "PeopleApi DELETE/node-roles/*",
        "PeopleApi POST/access/explain",
        "PeopleApi POST/access/who-can",
        "PeopleApi POST/access/what-can",
        "PeopleApi GET/audit/events",
        "PeopleApi GET/recordings",
        "PeopleApi GET/sessions/*/recording",
        "PeopleApi GET/sessions/*/recording/manifest",
        "PeopleApi POST/sessions/*/recording/search",
        "PeopleApi GET/documents",
        "PeopleApi GET/documents/*",
        "PeopleApi GET/documents/*/content",
        "PeopleApi GET/documents/*/versions",
        "PeopleApi POST/documents",
        "PeopleApi PUT/documents/*",
        "PeopleApi PUT/documents/*/default-version",
        "PeopleApi DELETE/documents/*",
    }


def test_instance_roles_may_invoke_channel_and_nothing_else(default: Stacks) -> None:
    assert invocations(default, "HatchwayNode-prod") == {"AgentApi POST/agent/*/channel"}


def test_manage_connections_is_in_no_policy_for_callers(synth: Synth) -> None:
    for policy in synth(agentApi="both").service.properties("AWS::IAM::ManagedPolicy"):
        assert "ManageConnections" not in str(policy)


def test_only_the_nodes_function_assumes_the_channel_role(default: Stacks) -> None:
    role = default.service.one("AWS::IAM::Role", RoleName="hatchway-prod-channel")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    assert re.fullmatch(r"<NodesRole\w+\.Arn>", text(statement["Principal"]["AWS"]))


def test_the_channel_role_listens_and_never_publishes(default: Stacks) -> None:
    allowed = {
        (action, text(resource).rpartition(":")[2])
        for statement in default.service.statements_of("ChannelRole")
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if action.startswith("iot:")
    }
    assert allowed == {
        ("iot:Connect", "client/hatchway/prod/*"),
        ("iot:Subscribe", "topicfilter/hatchway/prod/*"),
        ("iot:Receive", "topic/hatchway/prod/*"),
    }


def test_the_channel_role_does_not_make_channel_credentials(synth: Synth) -> None:
    for stacks in (synth(), synth(agentApi="both")):
        routes = [
            text(resource)
            for statement in stacks.service.statements_of("ChannelRole")
            if listed(statement["Action"]) == ["execute-api:Invoke"]
            for resource in listed(statement["Resource"])
        ]
        assert routes
        assert not [route for route in routes if route.endswith(("/channel", "/*"))]
        assert not [route for route in routes if "PeopleApi" in route]


def test_both_copies_of_the_agent_api_have_a_nodes_function_that_knows_its_own(
    synth: Synth,
) -> None:
    service = synth(agentApi="both").service
    arns = {
        name: text(
            service.one("AWS::Lambda::Function", FunctionName=f"hatchway-prod-{name}")[
                "Environment"
            ]["Variables"]["AGENT_API_ARN"]
        )
        for name in ("nodes", "nodes-regional")
    }
    assert re.search(r"execute-api:.*:<AgentApi(?!Regional)\w+>/prod$", arns["nodes"])
    assert re.search(r"execute-api:.*:<AgentApiRegional\w+>/prod$", arns["nodes-regional"])


def test_strict_enrolment_is_the_node_functions_own_setting(synth: Synth, default: Stacks) -> None:
    def strict(stacks: Stacks) -> set[str]:
        return {
            function["FunctionName"]
            for function in stacks.service.properties("AWS::Lambda::Function")
            if function["Environment"]["Variables"].get("REGISTERED_NODES_ONLY") == "true"
        }

    assert strict(default) == set()
    assert strict(synth(preRegisteredNodesOnly="true")) == {"hatchway-prod-nodes"}


HOST = "a1b2c3-ats.iot.us-east-1.amazonaws.com"


def tied_to(stacks: Stacks) -> dict[str, object]:
    """What each IoT action of the channel role is bound to."""
    return {
        action: text(statement.get("Condition", {}).get("StringEquals", {}).get("aws:SourceVpce"))
        for statement in stacks.service.statements_of("ChannelRole")
        for action in listed(statement["Action"])
        if action.startswith("iot:")
    }


def test_where_agents_come_through_endpoints_they_connect_to_iot_through_theirs(
    synth: Synth, existing: Stacks
) -> None:
    for stacks in (existing, synth(network="own", iotDataHost=HOST)):
        bound = tied_to(stacks)["iot:Connect"]
        assert re.search(r"Network.*IotData", str(bound)), bound
    theirs = synth(
        network="existing",
        vpcId="vpc-0123456789abcdef0",
        vpcCidr="10.0.0.0/16",
        executeApiEndpointIds="vpce-0123456789abcdef0",
        iotDataEndpointId="vpce-0123456789abcdef1",
    )
    assert tied_to(theirs)["iot:Connect"] == "vpce-0123456789abcdef1"


def test_nodes_with_egress_connect_to_iot_from_anywhere(synth: Synth, default: Stacks) -> None:
    own = {"network": "own", "iotDataHost": HOST}
    for stacks in (default, synth(**own, agentApi="both"), synth(**own, agentApi="regional")):
        assert set(tied_to(stacks).values()) == {None}
