"""What API Gateway and IoT Core allow, as numbers; times can be scaled so that tests can wait."""

from __future__ import annotations

from dataclasses import dataclass, replace

KIB = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. Sources: API Gateway and IoT Core quota pages; for the
    keep-alive, which the embedded AWS does not enforce, IoT Core's developer guide, "MQTT"."""

    frame: int = 32 * KIB
    message: int = 128 * KIB
    idle: float = 600.0
    life: float = 7200.0
    body: int = 10 * KIB * KIB
    lambda_body: int = 6 * KIB * KIB
    mqtt_messages: float = 100.0
    mqtt_bytes: float = 512 * KIB
    mqtt_payload: int = 128 * KIB
    #: A client that asks for less gets this; it is cut after so many intervals without a packet.
    keep_alive_least: float = 30.0
    keep_alive_grace: float = 1.5

    def scaled(self, factor: float) -> Limits:
        """The same with shorter times: an idle limit of 600 s scaled by 0.01 is 6 s."""
        return replace(self, idle=self.idle * factor, life=self.life * factor)


class Meter:
    """A token bucket of one second: how many units may pass now."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._left = per_second
        self._at: float | None = None

    def take(self, units: float, now: float) -> bool:
        """True where `units` may pass at `now`."""
        if self._at is not None:
            self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if units > self._left:
            return False
        self._left -= units
        return True
