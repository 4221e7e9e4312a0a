"""Plain frozen values that every other package speaks in."""

from dronekit_cfg.model.cost import Cost
from dronekit_cfg.model.digest import digest
from dronekit_cfg.model.identity import Identity
from dronekit_cfg.model.plan import Change, Finding, LeftOut, Phase, Plan, Step, StepKind
from dronekit_cfg.model.profile import InputSpec, ModuleSlot, Origin, Resolved, Waiver, Wanted
from dronekit_cfg.model.receipt import Outcome, Receipt, Record, Result, Verdict
from dronekit_cfg.model.secret import Vault, is_secret, secret_name
from dronekit_cfg.model.snapshot import Setting, Snapshot
from dronekit_cfg.model.spec import SettingSpec, Spec
from dronekit_cfg.model.value import INT_RANGES, Kind, Scalar, Value, float32, shortest

__all__ = [
    "INT_RANGES",
    "Change",
    "Cost",
    "Finding",
    "Identity",
    "InputSpec",
    "Kind",
    "LeftOut",
    "ModuleSlot",
    "Origin",
    "Outcome",
    "Phase",
    "Plan",
    "Receipt",
    "Record",
    "Resolved",
    "Result",
    "Scalar",
    "Setting",
    "SettingSpec",
    "Snapshot",
    "Spec",
    "Step",
    "StepKind",
    "Value",
    "Vault",
    "Verdict",
    "Waiver",
    "Wanted",
    "digest",
    "float32",
    "is_secret",
    "secret_name",
    "shortest",
]
