"""`make sbom`: what a release is made of as CycloneDX 1.6: packages of the lock with their hashes, and the models.

`cyclonedx-py` (of CycloneDX's own makers) reads the lock; this adds the licences that build/licences.py knows and the
models of client/proctor/models.toml, and takes out what changes from run to run.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import licences

ROOT = Path(__file__).resolve().parent.parent


def complete(bom: dict) -> dict:
    """The bill with licences, models and TrueSeat itself."""
    for component in bom["components"]:
        component.pop("description", None)  # the line of the lock once more
        component["licenses"] = [{"expression": licences.licence(component["name"])}]
    manifest = tomllib.loads((ROOT / "client/proctor/models.toml").read_text(encoding="utf-8"))
    bom["components"] += [_model(asset) for asset in manifest["model"]]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bom["metadata"]["component"] = {
        "type": "application", "bom-ref": "trueseat", "name": "trueseat", "version": project["version"],
        "licenses": [{"expression": project["license"]}],
    }  # fmt: skip
    return bom


def _model(asset: dict) -> dict:
    return {
        "type": "machine-learning-model", "bom-ref": f"model:{asset['sha256']}", "name": asset["file"],
        "hashes": [{"alg": "SHA-256", "content": asset["sha256"]}],
        "licenses": [{"license": {"name": asset["licence"]}}],
    }  # fmt: skip


def main() -> int:
    """Complete the bill that stands in the file of the command line."""
    path = Path(sys.argv[1])
    bom = complete(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(bom, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{path}: {len(bom['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
