"""What `relay` is made of, from its environment."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from lambdas.adapters.crypto import cipher
from lambdas.adapters.iot import IotDownlink
from lambdas.adapters.recordings import LogRecordings, QueuedTroubles
from lambdas.adapters.secrets import ManagedSecret
from lambdas.adapters.wrapping import KmsWrapper
from lambdas.environment import required, stage
from lambdas.recording import Recorder
from lambdas.relay.handler import Ciphers, Relay
from lambdas.relay.pace import Pace
from lambdas.sealing import Sealing


def build(environ: Mapping[str, str]) -> Relay:
    return Relay(
        secrets=ManagedSecret(required(environ, "SEAL_SECRET")),
        downlink=IotDownlink(stage(environ), environ.get("IOT_DATA_URL", "")),
        recorder=Recorder(
            LogRecordings(required(environ, "RECORDINGS")),
            QueuedTroubles(required(environ, "ARCHIVE_QUEUE")),
            time.time,
            Sealing(KmsWrapper(required(environ, "RECORDING_KEY")), cipher, time.time, os.urandom),
        ),
        ciphers=Ciphers(cipher),
        pace=Pace(time.time),
        clock=time.time,
        random=os.urandom,
    )
