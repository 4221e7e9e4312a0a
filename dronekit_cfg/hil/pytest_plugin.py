"""pytest fixtures for hardware in the loop: `vehicle`, `bench`, `profile`, `check`, `sitl_vehicle`, marker `needs`.

::

    def test_gyros_are_quiet(check):
        check("gyro-noise", sigma=0.15)

    @pytest.mark.needs("sky")
    def test_fix(check):
        check("gnss", satellites=10)

    def test_it_holds_its_profile(profile):
        assert profile.drift() == ()

Run with `pytest --bench bench.yaml` or `pytest --bench-link serial:auto`. A bench file holds `link`, and `has`: what
the bench can do ("sky", "operator", "props-off"); `profile` names what the vehicle should hold, with `inputs`; a check
watches for `seconds`. A vehicle is leased for the session, so two runs never share one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.hil.bench import Bench
    from dronekit_cfg.model.checked import Result

__all__ = [
    "BenchConfig",
    "BenchProfile",
    "bench",
    "bench_config",
    "check",
    "profile",
    "pytest_addoption",
    "pytest_configure",
    "sitl_vehicle",
    "vehicle",
]

SECONDS = 6.0
"""How long a single check watches, in seconds, unless the bench file says."""


@dataclass(frozen=True, slots=True)
class BenchConfig:
    """Where the vehicle is, what the bench has, and where its state is kept."""

    link: str
    family: str = ""
    has: frozenset[str] = frozenset()
    state_dir: Path | None = None
    profile: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class BenchProfile:
    """The profile that the bench's vehicle should hold: its name, its digest, and what differs on the vehicle."""

    name: str
    digest: str
    _drift: Callable[[], tuple[str, ...]]

    def drift(self) -> tuple[str, ...]:
        """Read the vehicle and give what differs, one line each; nothing is written."""
        return self._drift()


_BENCH = pytest.StashKey[BenchConfig]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a bench."""
    group = parser.getgroup("dronekit-cfg", "hardware in the loop")
    group.addoption("--bench", metavar="FILE", default="", help="bench file (YAML): link, family, has, state_dir")
    group.addoption("--bench-link", metavar="URL", default="", help="link of the vehicle, such as serial:auto")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "needs(*names): what a test needs of its bench, such as sky or operator")
    if file := config.getoption("--bench", ""):
        from dronekit_cfg.errors import DronekitError

        try:
            config.stash[_BENCH] = _read_bench(Path(file))
        except DronekitError as error:
            raise pytest.UsageError(f"{error}\nwhat to do: {error.hint or 'see docs/ci.md'}") from error


@pytest.fixture(scope="session")
def bench_config(request: pytest.FixtureRequest) -> BenchConfig:
    """The bench that --bench or --bench-link names; tests skip without one."""
    link = request.config.getoption("--bench-link")
    found = request.config.stash.get(_BENCH, BenchConfig(link) if link else None)
    if found is None:
        pytest.skip("no bench: give --bench FILE or --bench-link URL")
    return replace(found, link=link or found.link)


def _read_bench(path: Path) -> BenchConfig:
    """Read a bench file. Raises UsageError, FileProblems with the place of each mistake."""
    from dronekit_cfg.hil.documents import read_document

    data = read_document(path, "bench.v1").data
    folder = data.get("state_dir")
    return BenchConfig(
        data["link"],
        data.get("family", ""),
        frozenset(data.get("has", ())),
        path.parent / folder if folder else None,
        data.get("profile", ""),
        data.get("inputs", {}),
        float(data.get("seconds", SECONDS)),
    )


@contextmanager
def _in_words() -> Iterator[None]:
    """Tell what is wrong with the bench in words and with its remedy, without the traceback of our own code."""
    from dronekit_cfg.errors import DronekitError

    try:
        yield
    except DronekitError as error:
        text = f"{error}\nwhat to do: {error.hint}" if error.hint else str(error)
        raise pytest.fail.Exception(text, pytrace=False) from None


@pytest.fixture(scope="session")
def vehicle(
    bench_config: BenchConfig, record_testsuite_property: Callable[[str, object], None]
) -> Iterator[Connection]:
    """The connected and leased vehicle of the bench."""
    from dronekit_cfg.engine.connection import LinkOptions, connect
    from dronekit_cfg.engine.state import StateDir

    options = LinkOptions(bench_config.link, family=bench_config.family, state_dir=bench_config.state_dir)
    with ExitStack() as stack:
        with _in_words():
            connection = stack.enter_context(connect(options))
            stack.enter_context(StateDir(bench_config.state_dir).lease(connection.identity.key))
        record_testsuite_property("uid", connection.identity.uid)
        record_testsuite_property("firmware", connection.identity.version_text)
        yield connection


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    """Skip a test whose bench lacks what it needs."""
    wanted = {str(name) for mark in request.node.iter_markers("needs") for name in mark.args}
    if not wanted:
        return
    config: BenchConfig = request.getfixturevalue("bench_config")
    if missing := sorted(wanted - config.has):
        has = ", ".join(sorted(config.has)) or "nothing beside its link"
        pytest.skip(f"the bench has no {', '.join(missing)}; it has {has}")


@pytest.fixture(scope="session")
def bench(vehicle: Connection, bench_config: BenchConfig) -> Bench:
    """The bench with its vehicle: talk MAVLink, observe, listen."""
    from dronekit_cfg.hil.bench import Bench
    from dronekit_cfg.hil.operator import Operator

    return Bench(vehicle, Operator(assumed=bench_config.has))


@pytest.fixture(scope="session")
def profile(
    vehicle: Connection, bench_config: BenchConfig, record_testsuite_property: Callable[[str, object], None]
) -> BenchProfile:
    """The profile of the bench file, resolved for this vehicle; its digest goes into the JUnit file."""
    from dronekit_cfg.engine.goals import goal_from_profile, terms_from_profile
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.engine.transaction import prepare
    from dronekit_cfg.formats.compose import resolve
    from dronekit_cfg.formats.library import Library

    if not bench_config.profile:
        pytest.skip("the bench file names no profile")
    inputs = {name: str(value) for name, value in bench_config.inputs.items()}
    with _in_words():
        resolved = resolve(bench_config.profile, Library([]), family=vehicle.identity.family, inputs=inputs)
    record_testsuite_property("profile", bench_config.profile)
    record_testsuite_property("profile-digest", resolved.digest)

    def drift() -> tuple[str, ...]:
        goal, terms = goal_from_profile(resolved), terms_from_profile(resolved)
        plan = prepare(vehicle, goal, StateDir(bench_config.state_dir), terms).plan
        vehicle.leave()
        return tuple(f"{c.name}: {c.old} -> {c.wanted}" for c in plan.changes) + tuple(plan.missing)

    return BenchProfile(bench_config.profile, resolved.digest, drift)


@pytest.fixture
def check(vehicle: Connection, bench_config: BenchConfig) -> Callable[..., Result]:
    """Run one check by name, with parameters: gives its result, fails the test when it fails, skips when it skips."""

    def run(name: str, **params: float) -> Result:
        from dronekit_cfg.hil.checks import find_check
        from dronekit_cfg.hil.operator import Operator
        from dronekit_cfg.hil.run import run_suite
        from dronekit_cfg.hil.suite import Suite, SuiteEntry
        from dronekit_cfg.model.checked import Verdict

        with _in_words():
            found = find_check(name, vehicle.identity.family)
            entry = SuiteEntry(found, found.params(params))
            suite = Suite(name, found.title, vehicle.identity.family, bench_config.seconds, (entry,))
            (result,) = run_suite(vehicle, suite, Operator(assumed=bench_config.has)).results
        if result.verdict is Verdict.SKIP:
            pytest.skip(result.reason)
        if result.verdict is not Verdict.PASS:
            pytest.fail(f"{found.title}: {result.reason}\nwhat to do: {result.remedy}", pytrace=False)
        return result

    return run


@pytest.fixture
def sitl_vehicle(tmp_path: Path) -> Iterator[Connection]:
    """A freshly wiped ArduCopter SITL of this test's own; the test skips where there is no simulator."""
    from dronekit_cfg.engine.connection import LinkOptions, connect
    from dronekit_cfg.errors import LinkOpenError
    from dronekit_cfg.formats.shipped import shipped
    from dronekit_cfg.links.clock import RealClock
    from dronekit_cfg.sitl.ardupilot import ArduCopterSitl, find_arducopter

    try:
        binary = find_arducopter()
    except LinkOpenError as error:
        pytest.skip(f"{error}: {error.hint}")
    defaults = shipped("hil") / "simulator" / "arducopter-quad.param"
    sitl = ArduCopterSitl(binary, tmp_path / "sitl", RealClock(), (defaults,))
    try:
        with connect(LinkOptions(sitl.start(), family="ardupilot", state_dir=tmp_path / "state")) as connection:
            yield connection
    finally:
        sitl.stop()
