"""What `notify` is made of, from its environment."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas.adapters.sns import Topic
from lambdas.environment import required
from lambdas.notify.handler import Notify


def build(environ: Mapping[str, str]) -> Notify:
    return Notify(Topic(required(environ, "TOPIC")), Topic(required(environ, "ALARM_TOPIC")))
