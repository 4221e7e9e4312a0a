"""How errors reach a person and a machine."""

from __future__ import annotations

import io
import json

import pytest

from dronekit_cfg import errors
from dronekit_cfg.cli.failures import CRASH, error_text, exit_code_of, write_error
from dronekit_cfg.errors import DronekitError, FileProblems, Interrupted, LinkOpenError, Problem, UsageError

EXIT_CODES = {
    "UsageError": 2,
    "FileProblems": 2,
    "MetadataError": 2,
    "LinkError": 3,
    "LinkOpenError": 3,
    "LinkLost": 3,
    "NoAnswer": 3,
    "LinkGarbage": 3,
    "VehicleError": 4,
    "Armed": 4,
    "WrongVehicle": 4,
    "SeveralVehicles": 4,
    "Unsupported": 4,
    "WriteRefused": 4,
    "LeaseHeld": 4,
    "StateError": 2,
    "RolledBack": 5,
    "InDoubt": 6,
    "Interrupted": 130,
}
"""What the command line promises to return, by the name of the error."""


@pytest.mark.parametrize("name", sorted(set(errors.__all__) - {"DronekitError", "Problem"}))
def test_every_error_has_its_documented_exit_code(name: str) -> None:
    kind = getattr(errors, name)
    error = kind((Problem("a.yaml", 1, 2, "bad"),)) if kind is FileProblems else kind("what happened")
    assert exit_code_of(error) == EXIT_CODES[name]


def test_an_error_says_what_happened_and_what_to_do() -> None:
    text = error_text(LinkOpenError("cannot open tcp:h:1: nothing listens there", hint="start the vehicle first"))
    assert text == ("error: cannot open tcp:h:1: nothing listens there\n  what to do: start the vehicle first")


def test_every_problem_of_a_file_has_its_place_and_remedy() -> None:
    error = FileProblems(
        (
            Problem("p.yaml", 3, 5, "unknown key sttings", "did you mean settings?"),
            Problem("p.yaml", 9, 0, "NaN", "give a number"),
        )
    )
    assert error_text(error).splitlines() == [
        "error: p.yaml:3:5: unknown key sttings",
        "  what to do: did you mean settings?",
        "error: p.yaml:9: NaN",
        "  what to do: give a number",
        "2 problems; nothing was written",
    ]


def test_a_remedy_that_all_problems_share_is_said_once() -> None:
    error = FileProblems((Problem("a", 1, 1, "x", "mend it"), Problem("a", 2, 1, "y", "mend it")))
    assert error_text(error).count("mend it") == 1


def test_a_stop_request_is_not_called_an_error() -> None:
    text = error_text(Interrupted("stopped; the vehicle is exactly as it was before, verified"))
    assert text == "stopped; the vehicle is exactly as it was before, verified"
    assert error_text(KeyboardInterrupt()) == "stopped"
    assert exit_code_of(KeyboardInterrupt()) == 130


def test_a_mistake_of_ours_is_one_line_and_says_how_to_see_more() -> None:
    out, err = io.StringIO(), io.StringIO()
    assert write_error(ZeroDivisionError("division by zero"), as_json=False, stdout=out, stderr=err) == CRASH == 70
    assert err.getvalue().startswith("error: internal error: ZeroDivisionError: division by zero\n")
    assert "DRONEKIT_CFG_DEBUG=1" in err.getvalue()
    assert "Traceback" not in err.getvalue()
    assert out.getvalue() == ""


def test_debugging_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRONEKIT_CFG_DEBUG", "1")
    err = io.StringIO()
    write_error(UsageError("no", hint="yes"), as_json=False, stdout=io.StringIO(), stderr=err)
    assert "dronekit_cfg.errors.UsageError: no" in err.getvalue()


def test_json_carries_everything_that_the_text_says() -> None:
    out, err = io.StringIO(), io.StringIO()
    error = FileProblems((Problem("p.yaml", 3, 5, "unknown key", "did you mean settings?"),))
    assert write_error(error, as_json=True, stdout=out, stderr=err) == 2
    assert json.loads(out.getvalue()) == {
        "error": {
            "kind": "FileProblems",
            "message": "p.yaml:3:5: unknown key",
            "hint": "did you mean settings?",
            "exit_code": 2,
            "problems": [
                {"file": "p.yaml", "line": 3, "column": 5, "message": "unknown key", "hint": "did you mean settings?"}
            ],
        }
    }
    assert err.getvalue() == ""


def test_the_root_of_all_errors_is_never_mistaken_for_success() -> None:
    assert exit_code_of(DronekitError("x")) != 0
