"""Lambda's way in: dependencies once at init, then one call at a time."""

from __future__ import annotations

import os

from lambdas.recordings.deps import build
from lambdas.recordings.handler import make_handler
from lambdas.telemetry import writer

handler = make_handler(build(os.environ), writer("recordings"))
