"""The Network stack: endpoints for nodes without internet, and nothing that listens on a node."""

from __future__ import annotations

import re

import pytest

from tests.infra.conftest import Synth
from tests.infra.templates import Resources, Stacks, text

HOST = "a1b2c3-ats.iot.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def network(existing: Stacks) -> Resources:
    assert existing.network is not None
    return existing.network


@pytest.fixture(scope="module")
def own(synth: Synth) -> Resources:
    stacks = synth(network="own", iotDataHost=HOST)
    assert stacks.network is not None
    return stacks.network


def services(resources: Resources, kind: str) -> set[str]:
    return {
        text(each["ServiceName"]).rpartition("<AWS::Region>.")[2]
        for each in resources.properties("AWS::EC2::VPCEndpoint")
        if each["VpcEndpointType"] == kind
    }


def test_there_is_no_network_unless_asked_for(default: Stacks) -> None:
    assert default.network is None


@pytest.mark.parametrize("fixture", ["network", "own"])
def test_the_endpoints_are_two_interfaces_and_two_gateways(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    resources: Resources = request.getfixturevalue(fixture)
    assert services(resources, "Interface") == {"execute-api", "iot.data"}
    assert services(resources, "Gateway") == {"s3", "dynamodb"}


def test_private_dns_is_off(network: Resources) -> None:
    for each in network.properties("AWS::EC2::VPCEndpoint"):
        if each["VpcEndpointType"] == "Interface":
            assert each["PrivateDnsEnabled"] is False


def test_the_zone_is_for_the_account_s_own_data_host_and_points_at_the_endpoint(
    network: Resources,
) -> None:
    zone = network.one("AWS::Route53::HostedZone")
    assert zone["Name"] == HOST
    assert zone["VPCs"][0]["VPCId"] == "vpc-0123456789abcdef0"
    record = network.one("AWS::Route53::RecordSet")
    assert (record["Name"], record["Type"]) == (HOST, "A")
    assert "DnsEntries" in str(record["AliasTarget"])


def test_nodes_accept_nothing_inbound(network: Resources) -> None:
    group = network.one("AWS::EC2::SecurityGroup", GroupName="hatchway-prod-nodes")
    assert group["SecurityGroupIngress"] == []
    assert [(rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [
        (443, 443)
    ]
    assert not network.of("AWS::EC2::SecurityGroupIngress")


def test_endpoints_accept_https_from_the_vpc_only(network: Resources) -> None:
    group = network.one("AWS::EC2::SecurityGroup", GroupName="hatchway-prod-endpoints")
    (rule,) = group["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("10.0.0.0/16", 443, 443)


def test_the_api_endpoint_leads_to_this_account_s_agent_apis_only(network: Resources) -> None:
    (policy,) = [
        each["PolicyDocument"]
        for each in network.properties("AWS::EC2::VPCEndpoint")
        if text(each["ServiceName"]).endswith("execute-api")
    ]
    (statement,) = policy["Statement"]
    resource = text(statement["Resource"])
    assert re.fullmatch(r"arn:.*:<AWS::AccountId>:\*/\*/\*/agent/\*", resource)


def test_a_vpc_of_our_own_has_no_way_to_the_internet(own: Resources) -> None:
    assert not own.of("AWS::EC2::InternetGateway")
    assert not own.of("AWS::EC2::NatGateway")
    assert own.of("AWS::EC2::FlowLog")
    assert not [kind for kind in own.template["Resources"].values() if "Custom" in kind["Type"]]


def test_endpoints_that_exist_are_not_made_again(synth: Synth) -> None:
    stacks = synth(
        network="existing",
        vpcId="vpc-0123456789abcdef0",
        vpcCidr="10.0.0.0/16",
        executeApiEndpointIds="vpce-0123456789abcdef0",
        iotDataEndpointId="vpce-0123456789abcdef1",
    )
    assert stacks.network is not None
    assert not stacks.network.of("AWS::EC2::VPCEndpoint")
    assert "vpce-0123456789abcdef0" in str(stacks.service.template)


@pytest.mark.parametrize(
    ("wanted", "made"), [("s3", {"s3"}), ("dynamodb", {"dynamodb"}), ("none", set())]
)
def test_gateway_endpoints_that_a_route_table_has_are_left_out(
    synth: Synth, wanted: str, made: set[str]
) -> None:
    stacks = synth(
        network="existing",
        vpcId="vpc-0123456789abcdef0",
        vpcCidr="10.0.0.0/16",
        subnetIds="subnet-0123456789abcdef0",
        routeTableIds="rtb-0123456789abcdef0",
        iotDataHost=HOST,
        gatewayEndpoints=wanted,
    )
    assert stacks.network is not None
    assert services(stacks.network, "Gateway") == made
    assert services(stacks.network, "Interface") == {"execute-api", "iot.data"}
