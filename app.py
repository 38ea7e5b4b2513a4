"""The CDK app: reads the context, makes the stacks, has cdk-nag look at them."""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra.context import read
from infra.deployment import Deployment

app = App()
Deployment(app, read(app.node.get_all_context()))
Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
