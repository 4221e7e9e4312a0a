"""Makes the bill of materials of what a user installs, and looks its parts up among the known vulnerabilities.

Run: python .ci/audit.py PYTHON SBOM    (PYTHON: of an environment that holds dronekit-cfg and nothing for developers)

Needs `cyclonedx-bom` and `pip-audit` beside the Python that runs this. Findings fail. Where no advisories can be had
(no network, or an index that carries none) it says so and does not fail: the parts were then NOT looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ACCEPTED: Mapping[str, str] = {}
"""Ids of advisories that do not concern us, each with the reason."""
SECONDS = 180


def judge(report: Mapping[str, Any], accepted: Mapping[str, str] = ACCEPTED) -> tuple[int, list[str]]:
    """Give exit code and words for what pip-audit reports as JSON."""
    parts = report["dependencies"]
    skipped = [f"{p['name']} ({p['skip_reason']})" for p in parts if "skip_reason" in p]
    found = [
        f"{p['name']} {p['version']}: {v['id']}, fixed in {', '.join(v['fix_versions']) or 'no version yet'}"
        for p in parts
        for v in p.get("vulns", ())
        if not {v["id"], *v.get("aliases", ())} & accepted.keys()
    ]
    if found:
        return 1, [f"VULNERABLE {line}" for line in found]
    looked_up = len(parts) - len(skipped)
    words = [f"{looked_up} of {len(parts)} parts looked up, no known vulnerabilities"]
    if not looked_up:
        words = ["NOT LOOKED UP: this package index gives no advisories", *(f"  {line}" for line in skipped[:3])]
    elif skipped:
        words += [f"not looked up: {line}" for line in skipped]
    return 0, words


def components(sbom: Mapping[str, Any]) -> list[str]:
    """Give the parts that a bill of materials lists, as `name==version`."""
    return sorted(f"{c['name']}=={c['version']}" for c in sbom.get("components", ()))


def main(arguments: list[str]) -> int:
    """Write the bill, look up what it lists."""
    python, sbom = arguments
    tools = Path(sys.executable).parent
    Path(sbom).parent.mkdir(parents=True, exist_ok=True)
    bill = [tools / "cyclonedx-py", "environment", "--pyproject", "pyproject.toml", "--output-reproducible"]
    subprocess.run([*bill, "--of", "JSON", "-o", sbom, python], check=True)
    listed = components(json.loads(Path(sbom).read_text("utf-8")))
    print(f"{sbom}: {len(listed)} parts")
    ours = [part for part in listed if not part.startswith(("dronekit-cfg==", "pip==", "setuptools=="))]
    if not ours:
        print("the bill of materials is empty")
        return 1
    wanted = Path(sbom).with_suffix(".txt")
    wanted.write_text("\n".join(ours) + "\n", "utf-8")
    audit = [tools / "pip-audit", "-r", wanted, "--no-deps", "--disable-pip", "-f", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(audit, capture_output=True, text=True, timeout=SECONDS, check=False)
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        print("NOT LOOKED UP: pip-audit gave no report; is there a network?")
        return 0
    code, words = judge(report)
    print("\n".join(words))
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
