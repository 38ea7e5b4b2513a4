"""The three front doors: IAM everywhere, nobody let past it, nothing secret in a log."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from infra.packaging import ROOT
from tests.infra.conftest import Synth
from tests.infra.templates import Resources, Stacks, listed, text

#: An access log with one of these would print a path's ids, a query string, a header or a token.
LEAKS = ("path}", ".path", "querystring", "header", "authorizer", "error.message", "protocol")


def routes(resources: Resources, api: str) -> set[tuple[str, str]]:
    """Method and path of a REST API's methods."""
    parts = resources.of("AWS::ApiGateway::Resource")

    def path(resource: Any) -> str:
        name = text(resource)
        if name.endswith(".RootResourceId>"):
            return ""
        properties = parts[name.strip("<>")]["Properties"]
        return f"{path(properties['ParentId'])}/{properties['PathPart']}"

    return {
        (method["HttpMethod"], path(method["ResourceId"]))
        for method in resources.properties("AWS::ApiGateway::Method")
        if text(method["RestApiId"]).startswith(f"<{api}")
    }


def documented(section: str) -> set[tuple[str, str]]:
    """The routes of a section of docs/protocol.md."""
    page = Path(ROOT, "docs", "protocol.md").read_text()
    chapter = page.partition(f"## {section}")[2].partition("\n## ")[0]
    found = re.findall(r"`(GET|POST|PUT|DELETE) (/[^`?]*)", chapter)
    return {(method, path) for method, path in found}


def statements(resources: Resources, api: str) -> list[dict[str, Any]]:
    found = resources.one("AWS::ApiGateway::RestApi", Name=f"hatchway-prod-{api}")
    listed_statements: list[dict[str, Any]] = found["Policy"]["Statement"]
    return listed_statements


def test_the_people_api_has_the_documented_routes(default: Stacks) -> None:
    assert routes(default.service, "PeopleApi") == documented("People API")


def test_the_agent_api_has_the_documented_routes(default: Stacks) -> None:
    assert routes(default.service, "AgentApi") == documented("Agent API")


def test_every_method_asks_for_iam(synth: Synth) -> None:
    methods = synth(agentApi="both").service.properties("AWS::ApiGateway::Method")
    assert len(methods) == len(documented("People API")) + 2 * 7
    assert {method["AuthorizationType"] for method in methods} == {"AWS_IAM"}
    assert {method["Integration"]["Type"] for method in methods} == {"AWS_PROXY"}


def test_the_people_api_is_regional_and_has_no_resource_policy(default: Stacks) -> None:
    api = default.service.one("AWS::ApiGateway::RestApi", Name="hatchway-prod-people")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "Policy" not in api


@pytest.mark.parametrize("fixture", ["default", "existing"])
def test_the_agent_api_s_policy_allows_the_channel_role_by_arn_and_nobody_else(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    stacks: Stacks = request.getfixturevalue(fixture)
    allowing = [each for each in statements(stacks.service, "agent") if each["Effect"] == "Allow"]
    assert len(allowing) == 1
    principal = text(allowing[0]["Principal"]["AWS"])
    assert re.fullmatch(r"<ChannelRole\w+\.Arn>", principal)
    assert "Condition" not in allowing[0]


def test_the_agent_api_s_policy_leaves_channel_to_identity_policies(default: Stacks) -> None:
    allowing = statements(default.service, "agent")[0]
    assert not any(resource.endswith("/channel") for resource in allowing["Resource"])
    assert "*" not in [part for each in allowing["Resource"] for part in each.split("/")[1:4]]


def test_a_known_endpoint_is_the_only_way_to_the_private_api(existing: Stacks) -> None:
    denying = [each for each in statements(existing.service, "agent") if each["Effect"] == "Deny"]
    by_endpoint = [each for each in denying if "StringNotEquals" in each["Condition"]]
    assert len(by_endpoint) == 1
    assert by_endpoint[0]["Principal"] == {"AWS": "*"}
    assert by_endpoint[0]["Resource"] == "execute-api:/*"
    endpoint = listed(by_endpoint[0]["Condition"]["StringNotEquals"]["aws:SourceVpce"])
    assert ["ExecuteApi" in text(each) for each in endpoint] == [True]


def test_the_private_api_is_tied_to_its_endpoint(existing: Stacks) -> None:
    api = existing.service.one("AWS::ApiGateway::RestApi", Name="hatchway-prod-agent")
    assert api["EndpointConfiguration"]["Types"] == ["PRIVATE"]
    assert len(api["EndpointConfiguration"]["VpcEndpointIds"]) == 1


def test_agents_address_the_private_api_by_its_endpoint(existing: Stacks, default: Stacks) -> None:
    host = text(existing.service.outputs["AgentApiUrl"]["Value"])
    assert re.match(r"https://<AgentApi\w+>-<Hatchway-prod-Network:\w+>\.execute-api\.", host)
    assert "-<Hatchway" not in text(default.service.outputs["AgentApiUrl"]["Value"])


def test_without_an_endpoint_nothing_names_one(default: Stacks) -> None:
    assert "aws:SourceVpce" not in str(statements(default.service, "agent"))


def test_channel_is_denied_where_no_instance_asks(default: Stacks, synth: Synth) -> None:
    denying = [each for each in statements(default.service, "agent") if each["Effect"] == "Deny"]
    assert [each["Condition"] for each in denying] == [{"Null": {"ec2:SourceInstanceARN": "true"}}]
    assert denying[0]["Resource"] == "execute-api:/prod/POST/agent/*/channel"
    without = synth(agentMustComeFromInstance="false")
    assert "SourceInstanceARN" not in str(without.service.template)


def test_a_regional_copy_is_made_only_when_asked_for(default: Stacks, synth: Synth) -> None:
    names = {api["Name"] for api in default.service.properties("AWS::ApiGateway::RestApi")}
    assert names == {"hatchway-prod-people", "hatchway-prod-agent"}
    both = synth(agentApi="both").service
    regional = both.one("AWS::ApiGateway::RestApi", Name="hatchway-prod-agent-regional")
    assert regional["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    functions = {each["FunctionName"] for each in both.properties("AWS::Lambda::Function")}
    assert {"hatchway-prod-nodes", "hatchway-prod-nodes-regional"} <= functions


def test_stages_are_throttled_and_print_no_request(synth: Synth) -> None:
    for stage in synth(agentApi="both").service.properties("AWS::ApiGateway::Stage"):
        whole = [(each["HttpMethod"], each["ResourcePath"]) for each in stage["MethodSettings"]]
        assert ("*", "/*") in whole
        for setting in stage["MethodSettings"]:
            assert setting["DataTraceEnabled"] is False
            assert setting["LoggingLevel"] == "OFF"
            assert 0 < setting["ThrottlingRateLimit"] < 10_000
            assert 0 < setting["ThrottlingBurstLimit"] <= 5_000


def test_the_stream_s_stage_is_throttled_and_prints_no_request(default: Stacks) -> None:
    settings = default.service.one("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]
    assert settings["DataTraceEnabled"] is False
    assert settings["LoggingLevel"] == "OFF"
    assert settings["ThrottlingRateLimit"] < 10_000


def test_access_logs_hold_no_path_query_header_or_error_text(default: Stacks) -> None:
    rest = default.service.properties("AWS::ApiGateway::Stage")
    formats = [stage["AccessLogSetting"]["Format"] for stage in rest]
    formats.append(default.service.one("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"])
    for each in formats:
        assert not [leak for leak in LEAKS if leak in each.lower()], each
        assert "$context.requestId" in each


def test_stages_wait_for_the_account_s_log_role(default: Stacks) -> None:
    (account,) = default.service.of("AWS::ApiGateway::Account")
    resource = default.service.of("AWS::ApiGateway::Account")[account]
    assert resource["DeletionPolicy"] == "Retain"
    kinds = ("AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Stage")
    for stage in (each for kind in kinds for each in default.service.of(kind).values()):
        assert account in stage["DependsOn"]


def test_the_account_s_log_role_can_be_left_alone(synth: Synth) -> None:
    assert not synth(apiGatewayAccount="false").service.of("AWS::ApiGateway::Account")


def test_the_stream_s_authorizer_has_exactly_one_identity_source(default: Stacks) -> None:
    authorizer = default.service.one("AWS::ApiGatewayV2::Authorizer")
    assert authorizer["AuthorizerType"] == "REQUEST"
    assert authorizer["IdentitySource"] == ["route.request.header.Sec-WebSocket-Protocol"]
    assert "AuthorizerResultTtlInSeconds" not in authorizer


def stream_routes(stacks: Stacks) -> dict[str, str]:
    return {
        route["RouteKey"]: route["AuthorizationType"]
        for route in stacks.service.properties("AWS::ApiGatewayV2::Route")
    }


OWN = {"startSession", "describeSessions", "getConnectionStatus"}


def test_without_lifecycle_connections_nothing_leads_to_one(synth: Synth) -> None:
    stacks = synth(lifecycleConnections="false")
    assert not OWN & set(stream_routes(stacks))
    assert ("POST", "/connections") not in routes(stacks.service, "PeopleApi")
    names = {each["FunctionName"] for each in stacks.service.properties("AWS::Lambda::Function")}
    assert "hatchway-prod-push" not in names


def test_the_stream_authorises_its_connect_route_and_has_the_documented_ones(
    default: Stacks,
) -> None:
    others = ("$disconnect", "$default", "terminateSession", "resumeSession", "describeSession")
    open_ones = dict.fromkeys((*others, "ping", *OWN), "NONE")
    assert stream_routes(default) == {"$connect": "CUSTOM", **open_ones}
    api = default.service.one("AWS::ApiGatewayV2::Api")
    assert api["RouteSelectionExpression"] == "$request.body.action"


def test_gateway_errors_are_typed_and_quote_no_more_than_the_gateway_does(default: Stacks) -> None:
    for each in default.service.properties("AWS::ApiGateway::GatewayResponse"):
        body = each["ResponseTemplates"]["application/json"]
        assert body.startswith('{"__type":"')
        assert set(re.findall(r"\$[\w.]+", body)) == {
            "$context.error.messageString",
            "$context.requestId",
        }


def test_urls_follow_their_templates(synth: Synth) -> None:
    outputs = synth(
        streamUrl="wss://127.0.0.1:1/_aws/{api}/{stage}",
        streamManagementUrl="https://127.0.0.1:1/_aws/{api}/{stage}",
        peopleApiUrl="https://127.0.0.1:1/_aws/{api}/{stage}",
        agentApiUrl="https://127.0.0.1:1/_aws/{api}/{stage}",
    ).service.outputs
    for name, scheme in (("StreamUrl", "wss"), ("PeopleApiUrl", "https"), ("AgentApiUrl", "https")):
        assert re.fullmatch(
            rf"{scheme}://127\.0\.0\.1:1/_aws/<\w+(\.ApiId)?>/prod", text(outputs[name]["Value"])
        )


def test_the_outputs_are_those_that_others_read(default: Stacks) -> None:
    assert {name for name in default.service.outputs if not name.startswith("Export")} == {
        "AdminPolicyArn",
        "AgentApiId",
        "AgentApiUrl",
        "ChannelRoleArn",
        "ChannelRoleId",
        "EventBusName",
        "NodePolicyArn",
        "PeopleApiId",
        "PeopleApiUrl",
        "StreamApiId",
        "StreamManagementUrl",
        "StreamUrl",
        "TableName",
        "TopicArn",
        "UserPolicyArn",
    }
