"""How the agent reaches the service, over the port in agent.ports: AWS, and memory for tests."""
