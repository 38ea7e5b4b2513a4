"""What `archive` is made of, from its environment."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from lambdas import destinations
from lambdas.adapters import looks, retention
from lambdas.adapters.archive import ArchiveBucket, KmsSigner, KmsUnwrapper, LogPassed
from lambdas.adapters.connections import ApiClients
from lambdas.adapters.crypto import cipher
from lambdas.adapters.destinations import CloudWatchGroups, S3Buckets
from lambdas.adapters.events import EventBridge
from lambdas.adapters.function import running
from lambdas.adapters.iot import IotDownlink
from lambdas.adapters.leases import TableLeases
from lambdas.adapters.looks import SqsLooks
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.archive.following import Following
from lambdas.archive.handler import Archivist
from lambdas.archive.looking import Looking
from lambdas.archive.telling import Telling
from lambdas.environment import required, stage
from lambdas.ledger import Ledger
from lambdas.opening import OpenedLog
from lambdas.telemetry import counter
from lambdas.terms import floor


def build(environ: Mapping[str, str]) -> Archivist:
    table, queue = required(environ, "TABLE"), SqsLooks(required(environ, "ARCHIVE_QUEUE"))
    sessions = TableSessions(table, history=retention.history(environ))
    bucket, allowed = required(environ, "ARCHIVE"), destinations.allowed(environ)
    archive, name = ArchiveBucket(bucket), stage(environ)
    looking = Looking(
        sessions=sessions,
        nodes=TableNodes(table),
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL")),
        downlink=IotDownlink(name, environ.get("IOT_DATA_URL", "")),
        log=OpenedLog(
            LogPassed(required(environ, "RECORDINGS")),
            KmsUnwrapper(required(environ, "RECORDING_KEY")),
            cipher,
        ),
        ledger=Ledger(
            archive, KmsSigner(required(environ, "SIGNING_KEY")), time.time, name, running(environ)
        ),
        following=Following(
            archive,
            CloudWatchGroups(),
            S3Buckets(allowed.owner),
            allowed,
            required(environ, "AWS_REGION"),
        ),
        telling=Telling(
            EventBridge(required(environ, "EVENT_BUS")),
            counter("archive", name),
            time.time,
            name,
            bucket,
        ),
        looks=queue,
        leases=TableLeases(table),
        clock=time.time,
        random=os.urandom,
        floor=floor(environ),
    )
    return Archivist(sessions, looking, queue, looks.read)
