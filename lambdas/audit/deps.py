"""What `audit` is made of, from its environment."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lambdas.adapters import trail
from lambdas.adapters.events import EventBridge
from lambdas.audit.archiving import Archiving
from lambdas.audit.gathering import Gathering
from lambdas.audit.handler import Audit
from lambdas.environment import required, stage


def build(environ: Mapping[str, str]) -> Audit:
    here = stage(environ)
    objects = trail.Objects(required(environ, "ARCHIVE_BUCKET"), required(environ, "ACCOUNT"))
    return Audit(
        Gathering(
            log=trail.LogGroup(required(environ, "AUDIT_LOG")),
            queue=trail.Queue(required(environ, "AUDIT_QUEUE")),
            bus=EventBridge(required(environ, "EVENT_BUS")),
            stage=here,
            region=required(environ, "AWS_REGION"),
            clock=time.time,
        ),
        Archiving(objects, trail.read, here),
    )
