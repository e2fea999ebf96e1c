"""What a device says of itself when it announces itself, and the limits of its exchanges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from virtual_digiware.devices.bacnet_binding import binding

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.device import Device


@dataclass(slots=True)
class DeviceIdentity:
    """Numbers of one device; limits are those that its Device object shows."""

    instance: int
    vendor_identifier: int
    max_apdu: int
    max_segments: int
    window: int
    segment_timeout_ms: int
    apdu_timeout_ms: int
    apdu_retries: int

    @classmethod
    def of(cls, device: Device) -> DeviceIdentity:
        limits = binding().device
        return cls(
            instance=device.instance,
            vendor_identifier=binding().vendor_identifier,
            max_apdu=limits["max_apdu"],
            max_segments=limits["max_segments"],
            window=limits["window"],
            segment_timeout_ms=limits["segment_timeout_ms"],
            apdu_timeout_ms=limits["apdu_timeout_ms"],
            apdu_retries=limits["apdu_retries"],
        )
