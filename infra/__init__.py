"""The stacks: what `cdk deploy` makes. One construct per concern, nothing looked up at synth."""
