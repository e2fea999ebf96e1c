"""How one gateway publishes: broker, credentials, topics, pace and the bounds of what may wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Version = Literal["3.1.1", "5"]
Qos = Literal[0, 1, 2]


@dataclass(frozen=True, slots=True)
class Tls:
    """Encryption: whom to trust (None: the system's authorities) and who we are (None: nobody special)."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    checks_host: bool = True


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Settings of one publisher.

    `base_topic` has no slash at its end; `period_ms` is simulated time between two sets of telemetry.
    `messages` and `octets` bound what waits for the broker.
    """

    host: str
    port: int
    client_id: str
    base_topic: str
    version: Version = "5"
    period_ms: int = 10_000
    qos: Qos = 1
    retain: bool = True
    keepalive_s: int = 30
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    messages: int = 1000
    octets: int = 4 << 20
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    answer_s: float = 10.0
    """How long the broker may take to answer before the connection counts as lost."""
