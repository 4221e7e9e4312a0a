"""Where profiles are found: a path, folders of the user, and the profiles that come with the package.

A folder of profiles is laid out as `<family>/base/<name>.yaml`, `<family>/airframes/<name>.yaml` and
`<family>/overlays/<name>.yaml`; a user's folder may also be flat. A profile is named by the end of that path, as far as
is needed to tell it apart: `heavy-lift`, `base/ardupilot-copter`, `ardupilot/heavy-lift`. Folders are searched in
order, the shipped one last, so that a user's profile hides a shipped one of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

from dronekit_cfg.errors import DronekitError, UsageError
from dronekit_cfg.formats import yaml_tree
from dronekit_cfg.formats.files import read_text
from dronekit_cfg.formats.layer import FAMILIES, MODULE_FAMILIES
from dronekit_cfg.formats.shipped import shipped
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.text import t

__all__ = ["Entry", "Library", "is_path"]

_SUFFIXES = (".yaml", ".yml", ".json")
_FOLDERS = {"base": "base", "overlays": "overlay"}
_NOT_PROFILES = frozenset({"units"})
_HEAD_KEYS = ("name", "version", "family", "vehicle", "firmware", "summary")
_HEAD_END = re.compile(r"^(settings|inputs|waive|extends)\s*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One profile of a library. `kind` is base, airframe or overlay; `problem` says why its head cannot be read."""

    name: str
    kind: str
    family: str
    vehicle: str
    version: str
    firmware: str
    summary: str
    path: Path
    problem: str = ""


def is_path(name: str) -> bool:
    """Whether a profile is named by its file (`./x.yaml`, an absolute path) and not by a name to look up."""
    return name.endswith(_SUFFIXES) or name.startswith((".", "~")) or Path(name).is_absolute()


class Library:
    """Finds profiles by name in `search` folders (the user's, first wins) and then in the shipped one."""

    def __init__(self, search: Sequence[Path] = (), *, with_shipped: bool = True) -> None:
        self.search: tuple[Path, ...] = (*search, *([shipped("profiles")] if with_shipped else []))

    @cached_property
    def _entries(self) -> tuple[tuple[Entry, ...], ...]:
        return tuple(tuple(_scan(folder)) for folder in self.search)

    def find(self, name: str, *, family: str | None = None, beside: Path | None = None) -> Path:
        """Give the file of a profile. A relative path is taken from the folder `beside`, else from the current one.

        Raises UsageError when there is none (naming the closest), or when several families or folders have one.
        """
        if is_path(name):
            path = Path(name).expanduser()
            return self._existing(beside / path if beside else path)
        everywhere: list[Entry] = []
        for entries in self._entries:
            found = [e for e in entries if _answers_to(e, name)]
            everywhere += found
            fitting = [e for e in found if family in (None, e.family)]
            if fitting:
                return _only(name, fitting)
        raise self._unknown(name, family, everywhere)

    def families(self, name: str) -> frozenset[str]:
        """Give the families that have a profile of this name; a path has none to choose from."""
        if is_path(name):
            return frozenset()
        return frozenset(e.family for entries in self._entries for e in entries if _answers_to(e, name))

    def unit(self, uid: str) -> Path | None:
        """Give the unit file of one aircraft (`units/<uid>.yaml` in one of the folders), None when it has none."""
        for folder in self.search:
            path = folder / "units" / f"{uid}.yaml"
            if uid and path.is_file():
                return path
        return None

    def list(self, *, family: str | None = None) -> tuple[Entry, ...]:
        """Give every profile, sorted by family, kind and name; one that hides another stands for both."""
        seen: dict[tuple[str, str, str], Entry] = {}
        for entries in self._entries:
            for entry in entries:
                if family in (None, entry.family):
                    seen.setdefault((entry.family, entry.kind, entry.name), entry)
        order = {f: i for i, f in enumerate(FAMILIES)}
        return tuple(sorted(seen.values(), key=lambda e: (order.get(e.family, len(order)), e.family, e.kind, e.name)))

    def _existing(self, path: Path) -> Path:
        if not path.is_file():
            near = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
            hint = did_you_mean(path.name, near, otherwise=t("check the path"))
            raise UsageError(t("there is no profile file {path}", path=path), hint=hint)
        return path

    def _unknown(self, name: str, family: str | None, elsewhere: Sequence[Entry]) -> UsageError:
        if elsewhere:
            others = ", ".join(sorted({e.family or "?" for e in elsewhere}))
            message = t('profile "{name}" is for {others}, not for {family}', name=name, others=others, family=family)
            if {e.family for e in elsewhere} <= set(MODULE_FAMILIES) and family not in MODULE_FAMILIES:
                hint = t("it is for a module: plan, apply and verify take it along; here, give it a stack of its own")
                return UsageError(message, hint=hint)
            own = PurePosixPath(name).name
            if any(_answers_to(e, own) and e.family == family for entries in self._entries for e in entries):
                return UsageError(message, hint=t("{family} has one of its own: write {name}", family=family, name=own))
            return UsageError(message, hint=t("choose a profile of {family}: dronekit-cfg profile list", family=family))
        known = {e.name for entries in self._entries for e in entries if family in (None, e.family)}
        known |= {PurePosixPath(k).name for k in known}
        hint = did_you_mean(name, known, otherwise=t("see what there is: dronekit-cfg profile list"))
        return UsageError(t('there is no profile "{name}"', name=name), hint=hint)


def _scan(folder: Path) -> Iterator[Entry]:
    """Read the heads of all profiles below a folder. A folder that does not exist has none."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".yaml", ".yml"} and p.is_file()):
        relative = path.relative_to(folder)
        if _NOT_PROFILES.isdisjoint(relative.parts[:-1]) and not any(p.startswith(".") for p in relative.parts):
            yield _entry(path, relative)


def _entry(path: Path, relative: Path) -> Entry:
    kind = next((_FOLDERS[p] for p in reversed(relative.parts[:-1]) if p in _FOLDERS), "airframe")
    name = f"base/{path.stem}" if kind == "base" else path.stem
    head: Mapping[str, str] = {}
    problem = ""
    try:
        head = _head(path)
    except DronekitError as error:
        problem = error.message.splitlines()[0]
    family = head.get("family") or next((p for p in relative.parts if p in FAMILIES), "")
    rest = {k: head.get(k, "") for k in ("vehicle", "version", "firmware", "summary")}
    return Entry(name=name, kind=kind, family=family, path=path, problem=problem, **rest)


def _head(path: Path) -> Mapping[str, str]:
    """Read only the lines before the settings: a list of fifty profiles must not take a second."""
    text = read_text(path)
    end = _HEAD_END.search(text)
    return _told(text[: end.start()] if end else text, str(path))


@lru_cache(maxsize=1024)
def _told(head: str, file: str) -> Mapping[str, str]:
    """Parse a head. Each judged profile looks through the library, and the same hundred heads stand there each time."""
    data = yaml_tree.parse(head, file).data
    return {k: str(data[k]) for k in _HEAD_KEYS if k in data} if isinstance(data, dict) else {}


def _answers_to(entry: Entry, name: str) -> bool:
    """Whether `name` is the end of the entry's path, or its family and last part."""
    wanted = PurePosixPath(name).parts
    parts = (*entry.path.parts[:-1], entry.path.stem)
    return parts[-len(wanted) :] == wanted or wanted == (entry.family, entry.path.stem)


def _only(name: str, found: Sequence[Entry]) -> Path:
    if len(found) == 1:
        return found[0].path
    families = sorted({e.family or "?" for e in found})
    if len(families) > 1:
        message = t('several families have a profile "{name}": {families}', name=name, families=", ".join(families))
        hint = t("name one of them: {names}", names=t(" or ").join(f"{f}/{name}" for f in families))
        raise UsageError(message, hint=hint)
    names = ", ".join("/".join((*e.path.parts[-2:-1], e.path.stem)) for e in found)
    raise UsageError(t('"{name}" may be one of: {names}', name=name, names=names), hint=t("name it with its folder"))
