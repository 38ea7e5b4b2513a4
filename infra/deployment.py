"""All stacks of one deployment, in the order in which they need each other."""

from __future__ import annotations

from pathlib import Path

from constructs import Construct

from infra.config import Config, NetworkMode
from infra.data import DataStack
from infra.network import NetworkStack
from infra.packaging import ROOT
from infra.service import Endpoints, ServiceStack


class Deployment:
    """One stage. The Network stack is there only where the context asks for endpoints.

    `sources` is the repository that the Lambda zips are made from.
    """

    def __init__(self, app: Construct, config: Config, sources: Path = ROOT) -> None:
        self.network: NetworkStack | None = None
        endpoints = Endpoints(config.network.execute_api_endpoint_ids)
        if config.network.mode is not NetworkMode.NONE:
            self.network = NetworkStack(app, config)
            endpoints = Endpoints(self.network.endpoints, self.network.iot_endpoint)
        self.data = DataStack(app, config)
        self.service = ServiceStack(app, config, self.data, endpoints, sources)
