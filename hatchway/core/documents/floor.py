"""The account floor: what a deployment demands of every session, whatever its document says.

Whoever writes a document is told where it asks for less. What was written before the floor was
raised, and the documents that nobody wrote, are raised to it when a session starts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from hatchway.core.documents.fields import Fields
from hatchway.core.documents.model import Document, Inputs
from hatchway.core.documents.reading import MAX_DURATION_MINUTES
from hatchway.core.errors import BelowAccountFloor

MAX_NAMES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """`max_session_duration` in minutes, 0 for none. Of the three lists, () allows any name: they
    say where logs may go and which keys may be used."""

    recording_required: bool = False
    run_as_required: bool = False
    max_session_duration: int = 0
    log_buckets: tuple[str, ...] = ()
    log_groups: tuple[str, ...] = ()
    kms_keys: tuple[str, ...] = ()

    def check(self, document: Document) -> None:
        """BelowAccountFloor, with the path of the field, for a document that asks for less."""
        inputs = document.inputs
        if self.run_as_required and not inputs.run_as_enabled:
            raise _below("runAsEnabled", "must be true")
        if self.recording_required and not inputs.hatchway.recording_required:
            raise _below("hatchway.recordingRequired", "must be true")
        if self._lasts_too_long(inputs):
            raise _below("maxSessionDuration", f"must be at most {self.max_session_duration}")
        self._check_names(inputs)

    def raised(self, document: Document) -> Document:
        """The document with what the floor demands; BelowAccountFloor where its logs go elsewhere
        than they may, which nothing can stand in for."""
        inputs = document.inputs
        self._check_names(inputs)
        hatchway = replace(
            inputs.hatchway,
            recording_required=inputs.hatchway.recording_required or self.recording_required,
        )
        found = replace(
            inputs,
            run_as_enabled=inputs.run_as_enabled or self.run_as_required,
            hatchway=hatchway,
        )
        if self._lasts_too_long(inputs):
            found = replace(found, max_session_duration=self.max_session_duration)
        return replace(document, inputs=found)

    def _lasts_too_long(self, inputs: Inputs) -> bool:
        most, asked = self.max_session_duration, inputs.max_session_duration
        return bool(most) and not 0 < asked <= most

    def _check_names(self, inputs: Inputs) -> None:
        for field, value, allowed in (
            ("s3BucketName", inputs.s3_bucket_name, self.log_buckets),
            ("cloudWatchLogGroupName", inputs.cloud_watch_log_group_name, self.log_groups),
            ("kmsKeyId", inputs.kms_key_id, self.kms_keys),
        ):
            if value and allowed and value not in allowed:
                raise _below(field, f"must be one of {', '.join(allowed)}")


NO_FLOOR = Floor()


def written(floor: Floor) -> str:
    """What `read` reads."""
    return json.dumps(
        {
            "recordingRequired": floor.recording_required,
            "runAsRequired": floor.run_as_required,
            "maxSessionDuration": str(floor.max_session_duration or ""),
            "logBuckets": floor.log_buckets,
            "logGroups": floor.log_groups,
            "kmsKeys": floor.kms_keys,
        },
        separators=(",", ":"),
    )


def read(text: str) -> Floor:
    """The floor as a deployment states it, JSON; "" for none. InvalidDocumentContent names the
    member that is wrong."""
    at = Fields(json.loads(text)) if text else Fields({})
    found = Floor(
        recording_required=at.flag("recordingRequired"),
        run_as_required=at.flag("runAsRequired"),
        max_session_duration=at.number("maxSessionDuration", 1, MAX_DURATION_MINUTES, 0),
        log_buckets=at.texts("logBuckets", most=MAX_NAMES, length=512),
        log_groups=at.texts("logGroups", most=MAX_NAMES, length=512),
        kms_keys=at.texts("kmsKeys", most=MAX_NAMES, length=2048),
    )
    at.close()
    return found


def _below(field: str, why: str) -> BelowAccountFloor:
    return BelowAccountFloor(f"inputs.{field} {why}: this deployment demands it of every session.")
