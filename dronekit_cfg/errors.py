"""Every error this package raises on purpose, who is at fault, and what to do about it.

::

    DronekitError                  exit code  at fault
    ├── UsageError                     2      you: a wrong option, file or profile
    │   ├── FileProblems               2      a file; carries every problem of it with file:line:col
    │   └── MetadataError              2      a spec file that cannot be read
    ├── LinkError                      3      the link
    │   ├── LinkOpenError              3      cannot be opened (missing, busy, no permission, refused)
    │   ├── LinkLost                   3      was open and went away
    │   ├── NoAnswer                   3      silence, or no vehicle behind it
    │   └── LinkGarbage                3      bytes, but not those of a vehicle
    ├── VehicleError                   4      the vehicle refused, or is not the one meant
    │   ├── Armed                      4
    │   ├── WrongVehicle               4      identity differs from the pinned one
    │   ├── SeveralVehicles            4      more than one answers and none was named
    │   ├── Unsupported                4      firmware or capability that we do not handle
    │   └── WriteRefused               4      a setting clamped, denied, unknown or lost
    ├── StateError                     2      our own state folder: full disk, not writable, damaged journal
    ├── LeaseHeld                      4      another dronekit-cfg works on this vehicle or link
    ├── RolledBack                     5      apply failed, the old state is back and verified
    ├── InDoubt                        6      neither old nor new could be verified: run `recover`
    └── Interrupted                  130      Ctrl-C or SIGTERM; the text says in which state the vehicle is
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Armed",
    "DronekitError",
    "FileProblems",
    "InDoubt",
    "Interrupted",
    "LeaseHeld",
    "LinkError",
    "LinkGarbage",
    "LinkLost",
    "LinkOpenError",
    "MetadataError",
    "NoAnswer",
    "Problem",
    "RolledBack",
    "SeveralVehicles",
    "StateError",
    "Unsupported",
    "UsageError",
    "VehicleError",
    "WriteRefused",
    "WrongVehicle",
]


class DronekitError(Exception):
    """Root of all errors; `hint` is the remedy in one sentence, `exit_code` what the command line returns."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(DronekitError, ValueError):
    """Something the caller gave is wrong: an option, a URL, a file, a profile."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one file; line and column are 1-based, 0 when the place is not known."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        return f"{place}: {self.message}" if place else self.message


class FileProblems(UsageError):
    """A file with at least one problem; all of them are in `problems`, in file order."""

    def __init__(self, problems: tuple[Problem, ...], *, hint: str = "") -> None:
        if not problems:
            raise ValueError("FileProblems needs at least one problem")
        super().__init__("\n".join(str(p) for p in problems), hint=hint or problems[0].hint)
        self.problems = problems


class MetadataError(UsageError):
    """A firmware metadata (spec) file that cannot be read or understood."""


class LinkError(DronekitError):
    """The link is at fault."""

    exit_code = 3


class LinkOpenError(LinkError, OSError):
    """The port, address or recording cannot be opened."""


class LinkLost(LinkError, ConnectionError):
    """An open link went away (unplugged, closed by the other side)."""


class NoAnswer(LinkError, TimeoutError):
    """Nobody answered in time."""


class LinkGarbage(LinkError):
    """Bytes arrive, but they are not those of a vehicle (wrong baud rate, other protocol, a ground station)."""


class VehicleError(DronekitError):
    """The vehicle refused, or is not one we may work on."""

    exit_code = 4


class Armed(VehicleError):
    """The vehicle is armed; nothing is ever written to it in that state."""


class WrongVehicle(VehicleError):
    """The vehicle's identity differs from the one that was pinned."""


class SeveralVehicles(VehicleError):
    """Several vehicles answer on one link and none was named."""


class Unsupported(VehicleError):
    """A firmware, version or capability that this package does not handle."""


class WriteRefused(VehicleError):
    """At least one setting was clamped, denied, unknown or lost."""


class StateError(DronekitError, OSError):
    """Our own state folder failed: full disk, no permission, damaged journal. Nothing was written to the vehicle."""

    exit_code = 2


class LeaseHeld(VehicleError):
    """Another process of this tool holds the lease of the vehicle or link."""


class RolledBack(DronekitError):
    """The apply failed; the old state was restored and verified."""

    exit_code = 5


class InDoubt(DronekitError):
    """Neither the old nor the new state could be verified; the journal says what is known."""

    exit_code = 6


class Interrupted(DronekitError, KeyboardInterrupt):
    """Stopped by Ctrl-C or SIGTERM; the message says in which state the vehicle is."""

    exit_code = 130
