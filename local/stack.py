"""All of it: the embedded AWS with the stacks and the demo, up and down, and how to use it."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from botocore.credentials import ReadOnlyCredentials

from local import agents, certificate, demo, demo_user, deployment, emulator, identities, instances
from local import instance_credentials as metadata
from local.demo import Demo
from local.deployment import Stacks
from local.emulator import Emulator
from local.environment import scrubbed
from local.identities import Statement, User
from local.instances import NodeRole
from local.notifications import Inbox, inbox
from local.places import Places
from local.progress import Progress
from local.signed import Signed

#: The CLI, as a command.
CLI = (sys.executable, "-m", "hatchway.cli")


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs, and everything one needs to use it. `base` is the scrubbed environment."""

    emulator: Emulator
    stacks: Stacks
    demo: Demo
    base: Mapping[str, str]

    @property
    def places(self) -> Places:
        return self.emulator.places

    def credentials(self, user: str) -> ReadOnlyCredentials:
        """The access key of `admin`, `john` or `mary`."""
        return identities.read_credentials(self.places, user)

    def people(self, who: str | ReadOnlyCredentials | None) -> Signed:
        """The people API as a demo user, as anybody else, or without a signature."""
        credentials = self.credentials(who) if isinstance(who, str) else who
        return Signed(self.stacks["PeopleApiUrl"], self.places.ca_bundle, credentials)

    def agent_api(self, credentials: ReadOnlyCredentials | None) -> Signed:
        """The agent API, as whoever holds the credentials."""
        return Signed(self.stacks["AgentApiUrl"], self.places.ca_bundle, credentials)

    def environ(self, user: str) -> dict[str, str]:
        """The environment of a client's command as a demo user."""
        return scrubbed(self.base, self.places) | {
            "HATCHWAY_CONFIG": str(self.places.config),
            "AWS_PROFILE": user,
        }

    def make_user(self, name: str, statements: Sequence[Statement]) -> User:
        """One more IAM user who may call the people API, with these statements."""
        return identities.make_user(self.emulator, name, self.stacks["UserPolicyArn"], statements)

    def make_role(self, name: str, *, allowed: bool = True) -> NodeRole:
        """One more instance role, on the allow list unless told otherwise."""
        role = instances.make_role(self.emulator, self.stacks, name)
        if allowed:
            instances.allow_role(self.places, self.stacks, role)
        return role

    def instance_credentials(self, node: str, role: NodeRole | None = None) -> ReadOnlyCredentials:
        """What an instance's metadata would give to whoever runs on it."""
        found = metadata.issue(self.emulator, (role or self.demo.role).arn, node)
        return ReadOnlyCredentials(
            found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        )

    def run_instance(self, tags: Mapping[str, str], role: NodeRole | None = None) -> str:
        """One more EC2 instance, without an agent; its id."""
        return instances.run_instance(self.emulator, role or self.demo.role, tags)

    @contextmanager
    def agent(
        self,
        node: str,
        role: NodeRole | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> Iterator[str]:
        """The agent of an instance of ours, online; stopped afterwards."""
        agents.configure(self.emulator, self.stacks, role or self.demo.role, node, overrides)
        agents.start(self.emulator, node, self.base)
        try:
            agents.wait_online(self.places, self.stacks, node)
            yield node
        finally:
            agents.stop(self.places, node)

    def inbox(self) -> AbstractContextManager[Inbox]:
        """What the notification topic sends from now on."""
        return inbox(self.emulator, self.stacks["TopicArn"])


def up(places: Places, base: Mapping[str, str], progress: Progress) -> Stack:
    """Starts and deploys what is not there yet, and reuses what is."""
    places.make()
    with locked(places):
        running = emulator.running(places)
        if certificate.ensure(places):
            running = None  # it would still have the certificate that ran out
        if running is None:
            agents.stop_all(places)
            with progress.step("Starting the embedded AWS"):
                running = emulator.start_fresh(places, base)
        emulator.check_account(running)
        stacks = deployment.ensure(running, base, progress)
        return Stack(running, stacks, demo.ensure(running, stacks, base, progress), base)


def down(places: Places) -> None:
    """Stops everything that `up` and the tests started here, and nothing else. Idempotent."""
    if not places.directory.exists():
        return
    places.make()
    with locked(places):
        agents.stop_all(places)
        emulator.stop(places)
        demo_user.remove(places)


def restart_emulator(stack: Stack) -> None:
    """Stops the embedded AWS in an orderly way and starts it again with what was in it."""
    with locked(stack.places):
        emulator.stop(stack.places)
        emulator.start_again(stack.places, stack.base)


@contextmanager
def locked(places: Places) -> Iterator[None]:
    """One at a time per directory."""
    with (places.directory / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
