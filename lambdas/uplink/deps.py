"""What `uplink` is made of, from its environment."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from lambdas.adapters.connections import UPLOAD_PATIENCE, ApiClients
from lambdas.adapters.crypto import cipher
from lambdas.adapters.recordings import LogRecordings, QueuedTroubles
from lambdas.adapters.secrets import ManagedSecret
from lambdas.adapters.wrapping import KmsWrapper
from lambdas.environment import required
from lambdas.recording import Recorder
from lambdas.sealing import Sealing
from lambdas.uplink.handler import Uplink


def build(environ: Mapping[str, str]) -> Uplink:
    return Uplink(
        secrets=ManagedSecret(required(environ, "TICKET_SECRET")),
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL"), patience=UPLOAD_PATIENCE),
        recorder=Recorder(
            LogRecordings(required(environ, "RECORDINGS")),
            QueuedTroubles(required(environ, "ARCHIVE_QUEUE")),
            time.time,
            Sealing(KmsWrapper(required(environ, "RECORDING_KEY")), cipher, time.time, os.urandom),
        ),
        channel_role_id=required(environ, "CHANNEL_ROLE_ID"),
        clock=time.time,
    )
