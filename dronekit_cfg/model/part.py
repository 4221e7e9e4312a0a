"""A part that is fitted to a vehicle, as far as the vehicle can tell."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Part"]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is fitted. `place` is how a person finds it ("I2C bus 1, address 0x0E"), `setting` what told.

    `firmware` is what the part says that it runs, "" where it does not; `device_id` the packed id of a sensor.
    `answers` is whether the vehicle hears it: False for a part that is only set up, None where that is not told.
    """

    kind: str
    number: int
    type: str
    place: str = ""
    external: bool | None = None
    setting: str = ""
    device_id: int = 0
    firmware: str = ""
    answers: bool | None = None
