"""Write `emulators/azure/data/*.json`: what is known of the types of `types.txt`, a file for each module.

    python -m tools.azure_facts            write them
    python -m tools.azure_facts --check    fail when one is stale

Three sources, whose versions stand in the files:
- the installed pulumi-azure-native: names and types of properties (`schema.py`);
- Microsoft's bicep types in the folder that MLOPS_IAC_AZURE_TYPES names: ARM types, paths and places in
  requests (`arm.py`);
- Microsoft's client models in `.venv-azure`, which `tools/check` makes: what a service takes only at creation
  (`create_only.py`), with `known.json` for what they do not say.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools.azure_facts import arm, facts
from tools.azure_facts.schema import Module

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OUT = ROOT / "src/mlops_iac/emulators/azure/data"
CLIENTS = ROOT / ".venv-azure/bin/python"
TYPES = "MLOPS_IAC_AZURE_TYPES"


def tokens() -> list[str]:
    """The types of the list."""
    lines = (HERE / "types.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def documents(bicep: Path) -> dict[str, str]:
    """Every file, by its name."""
    created = subprocess.run(
        [CLIENTS, HERE / "create_only.py"],
        input="\n".join(tokens()),
        capture_output=True,
        text=True,
        check=True,
    )
    create_only = json.loads(created.stdout)
    known = json.loads((HERE / "known.json").read_text(encoding="utf-8"))
    modules: dict[str, Module] = {}
    resources: dict[str, dict[str, Any]] = {}
    for token in tokens():
        name, _, short = token.partition(":")
        module = modules.setdefault(name, Module(name))
        told = module.resource(short)
        placed = arm.resource(bicep, module, token, told["inputs"])
        if placed["version"] != module.api_version(short):
            raise SystemExit(
                f"{token}: the SDK uses {module.api_version(short)}, not {placed['version']}"
            )
        learned = facts.of(
            token, told["inputs"], placed, create_only.get(token), known.get(token, {})
        )
        resources.setdefault(name, {})[short] = {**placed, **told, **learned}
    return {
        f"{name}.json": _text(module, resources[name]) for name, module in sorted(modules.items())
    }


def _text(module: Module, resources: dict[str, Any]) -> str:
    """A line for each type: small, and a change is seen."""
    for name in arm.sets(module):
        module.types[name]["keys"] = ["userAssignedIdentities"]
    for told in module.types.values():
        if not told.get("places", True):
            del told["places"]
    head = {"sdk": f"pulumi-azure-native {version('pulumi-azure-native')}"}
    parts = [f'"sdk":{json.dumps(head["sdk"])}']
    for section, entries in (
        ("resources", resources),
        ("types", module.types),
        ("enums", module.enums),
    ):
        lines = [f"{json.dumps(key)}:{_compact(entries[key])}" for key in sorted(entries)]
        body = ",\n".join(lines)
        parts.append(f'"{section}":{{\n{body}\n}}' if lines else f'"{section}":{{}}')
    return "{" + ",\n".join(parts) + "}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def main() -> int:
    """Write or compare every file; return the exit code."""
    folder = os.environ.get(TYPES)
    if not folder or not CLIENTS.is_file():
        raise SystemExit(f"needs {TYPES}, a folder with bicep types, and {CLIENTS.parents[1]}")
    check, stale = "--check" in sys.argv, 0
    for name, text in documents(Path(folder)).items():
        path = OUT / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"{'stale' if check else 'wrote'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
