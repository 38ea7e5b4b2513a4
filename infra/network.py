"""The way from nodes without internet to the service: endpoints, and nothing that listens.

Into a VPC of our own or into an existing one by ids; nothing is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from constructs import Construct

from infra.config import Config, Gateway, NetworkMode

HTTPS = 443
#: Service → construct id.
_GATEWAYS = {Gateway.S3: "S3", Gateway.DYNAMODB: "DynamoDb"}


@dataclass(frozen=True, slots=True)
class Place:
    """A VPC by its ids: literal ones, or tokens of the VPC made here."""

    vpc_id: str
    cidr: str
    subnet_ids: list[str]
    route_table_ids: list[str]


class NetworkStack(Stack):
    """`endpoints` are the execute-api endpoints that the agent API is tied to, `iot_endpoint` is
    where agents reach IoT Core."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(
            scope,
            f"Hatchway-{config.stage}-Network",
            description=f"Hatchway {config.stage}: endpoints for nodes without internet",
        )
        self._config = config
        self._place = self._own() if config.network.mode is NetworkMode.OWN else self._existing()
        inbound = self._endpoint_group()
        self._node_group()
        self.endpoints = self._execute_api(inbound)
        self.iot_endpoint = config.network.iot_data_endpoint_id or self._iot_data(inbound)
        self._gateways()

    def _existing(self) -> Place:
        network = self._config.network
        return Place(
            network.vpc_id,
            network.vpc_cidr,
            list(network.subnet_ids),
            list(network.route_table_ids),
        )

    def _own(self) -> Place:
        vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=self._config.name("nodes"),
            ip_addresses=ec2.IpAddresses.cidr(self._config.network.vpc_cidr),
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="nodes", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            ],
            # It would take a custom resource with a function of its own.
            restrict_default_security_group=False,
        )
        vpc.add_flow_log(
            "Flows",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                logs.LogGroup(self, "FlowLog", retention=logs.RetentionDays.ONE_MONTH)
            ),
        )
        subnets = vpc.isolated_subnets
        return Place(
            vpc.vpc_id,
            self._config.network.vpc_cidr,
            [subnet.subnet_id for subnet in subnets],
            [subnet.route_table.route_table_id for subnet in subnets],
        )

    def _endpoint_group(self) -> ec2.CfnSecurityGroup:
        return ec2.CfnSecurityGroup(
            self,
            "EndpointGroup",
            group_name=self._config.name("endpoints"),
            group_description=f"Hatchway {self._config.stage}: HTTPS from the VPC to its endpoints",
            vpc_id=self._place.vpc_id,
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp",
                    from_port=HTTPS,
                    to_port=HTTPS,
                    cidr_ip=self._place.cidr,
                    description="HTTPS from nodes",
                )
            ],
            # Endpoints answer; they open no connection. A rule to nowhere replaces the default one.
            security_group_egress=[_egress("127.0.0.1/32", "none")],
        )

    def _node_group(self) -> None:
        """To attach to nodes. Gateway endpoints have public addresses, hence no narrower rule."""
        ec2.CfnSecurityGroup(
            self,
            "NodeGroup",
            group_name=self._config.name("nodes"),
            group_description=f"Hatchway {self._config.stage}: nodes, nothing inbound",
            vpc_id=self._place.vpc_id,
            security_group_ingress=[],
            security_group_egress=[_egress("0.0.0.0/0", "HTTPS as far as routes go")],
        )

    def _interface(
        self,
        construct_id: str,
        service: str,
        group: ec2.CfnSecurityGroup,
        policy: iam.PolicyDocument | None = None,
    ) -> ec2.CfnVPCEndpoint:
        return ec2.CfnVPCEndpoint(
            self,
            construct_id,
            vpc_endpoint_type="Interface",
            service_name=f"com.amazonaws.{self.region}.{service}",
            vpc_id=self._place.vpc_id,
            subnet_ids=self._place.subnet_ids,
            security_group_ids=[group.attr_group_id],
            # With it, every public API Gateway address would answer 403 in this VPC, the people
            # API's among them; iot.data has none.
            private_dns_enabled=False,
            policy_document=policy,
        )

    def _execute_api(self, group: ec2.CfnSecurityGroup) -> tuple[str, ...]:
        existing = self._config.network.execute_api_endpoint_ids
        if existing:
            return existing
        own_apis = self.format_arn(service="execute-api", resource="*", resource_name="*/*/agent/*")
        policy = iam.PolicyDocument(
            statements=[
                # No door to other accounts' private APIs. IAM decides at the API itself.
                iam.PolicyStatement(
                    principals=[iam.AnyPrincipal()],
                    actions=["execute-api:Invoke"],
                    resources=[own_apis],
                )
            ]
        )
        return (self._interface("ExecuteApi", "execute-api", group, policy).attr_id,)

    def _iot_data(self, group: ec2.CfnSecurityGroup) -> str:
        """The endpoint, and its name: a zone for the account's own data host and no other."""
        endpoint = self._interface("IotData", "iot.data", group)
        # "hosted zone id:name", the regional name first.
        entry = Fn.split(":", Fn.select(0, endpoint.attr_dns_entries))
        zone = route53.CfnHostedZone(
            self,
            "IotDataZone",
            name=self._config.network.iot_data_host,
            hosted_zone_config=route53.CfnHostedZone.HostedZoneConfigProperty(
                comment=f"Hatchway {self._config.stage}: the account's IoT data host, in the VPC"
            ),
            vpcs=[
                route53.CfnHostedZone.VPCProperty(vpc_id=self._place.vpc_id, vpc_region=self.region)
            ],
        )
        route53.CfnRecordSet(
            self,
            "IotDataAlias",
            hosted_zone_id=zone.attr_id,
            name=self._config.network.iot_data_host,
            type="A",
            alias_target=route53.CfnRecordSet.AliasTargetProperty(
                hosted_zone_id=Fn.select(0, entry), dns_name=Fn.select(1, entry)
            ),
        )
        return endpoint.attr_id

    def _gateways(self) -> None:
        """Free of charge, and only of use where a route table is told of them, by one each."""
        if not self._place.route_table_ids:
            return
        for service in self._config.network.gateway_endpoints:
            ec2.CfnVPCEndpoint(
                self,
                _GATEWAYS[service],
                vpc_endpoint_type="Gateway",
                service_name=f"com.amazonaws.{self.region}.{service}",
                vpc_id=self._place.vpc_id,
                route_table_ids=self._place.route_table_ids,
            )


def _egress(cidr: str, description: str) -> ec2.CfnSecurityGroup.EgressProperty:
    return ec2.CfnSecurityGroup.EgressProperty(
        ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, cidr_ip=cidr, description=description
    )
