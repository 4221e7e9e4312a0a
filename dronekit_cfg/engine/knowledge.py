"""What is known about a vehicle's firmware: its metadata, its rename table."""

from __future__ import annotations

from pathlib import Path

from dronekit_cfg.catalog.renames import Renames
from dronekit_cfg.engine.connection import Connection
from dronekit_cfg.model import Identity, Spec

__all__ = ["metadata", "renames_for", "spec_for_vehicle"]


def spec_for_vehicle(identity: Identity, root: Path | None = None) -> Spec | None:
    """Give the metadata that fits the vehicle best; `root` is the state directory (imported specs live there)."""
    from dronekit_cfg.catalog.store import spec_for

    return spec_for(
        identity.family, identity.vehicle, identity.version, user_dir=root / "specs" if root is not None else None
    )


def metadata(connection: Connection, root: Path | None = None) -> Spec | None:
    """Give what the vehicle itself says about its settings, else the metadata that fits its firmware best."""
    return connection.run(connection.driver.spec()) or spec_for_vehicle(connection.identity, root)


def renames_for(identity: Identity) -> Renames | None:
    """Give the rename table of the vehicle's family, or None when it has none."""
    from dronekit_cfg.catalog.renames import load_renames

    return load_renames(identity.family, identity.vehicle)
