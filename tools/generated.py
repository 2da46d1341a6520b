"""Everything in the repository that is made from something else, in one place.

python tools/generated.py           write it
python tools/generated.py --check   fail when something is stale (CI)
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
EXAMPLE = ROOT / "examples" / "schedule-adherence"


def language() -> str:
    """Return the language reference."""
    from mlops_iac.clouds import registry
    from tools.language_reference import reference_markdown

    return reference_markdown({each: registry.platform(each).refuses for each in registry.names()})


def schema() -> str:
    """Return the blueprint's JSON Schema, as `mlops-iac schema` prints it."""
    from mlops_iac.blueprint import json_schema

    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def picture() -> str:
    """Return the picture of the example's dev stack, which trains and serves."""
    import mlops_iac

    return mlops_iac.load(EXAMPLE / "blueprint.yaml").draw("dev", "svg")


def policies() -> str:
    """Return the page about the guard rails."""
    from mlops_iac.policy.rules import rules
    from tools.guard_rail_reference import reference

    return reference(rules())


def coverage() -> str:
    """Return the table of resource types and the checks that accepted them."""
    from tools import coverage

    return coverage.coverage()


def permissions() -> str:
    """Return the table of every policy statement of the example and its reason."""
    from tools import permissions

    return permissions.permissions()


def python() -> str:
    """Return the page about the Python API."""
    from tools import python_api

    return python_api.page()


def commands() -> str:
    """Return the page about the commands."""
    from tools import commands

    return commands.page()


def containers() -> str:
    """Return what the prebuilt containers do with code."""
    from tools import container_reference

    return container_reference.reference()


def limits() -> str:
    """Return what AWS's models allow in requests."""
    from tools import service_limits

    return service_limits.limits()


def instance_regions() -> str:
    """Return which region has which instance type."""
    from tools import instance_regions

    return instance_regions.regions()


FILES: dict[str, Callable[[], str]] = {
    "docs/commands.md": commands,
    "docs/containers.md": containers,
    "docs/coverage.md": coverage,
    "docs/language.md": language,
    "docs/policies.md": policies,
    "docs/permissions.md": permissions,
    "docs/python.md": python,
    "docs/schedule-adherence.svg": picture,
    "examples/schedule-adherence/blueprint-1.json": schema,
    "src/mlops_iac/clouds/aws/data/limits.txt": limits,
    "src/mlops_iac/clouds/aws/data/regions.txt": instance_regions,
}


def workflow(name: str) -> Callable[[], str]:
    """Return what makes one of the example's workflows, as if it were a repository of its own."""

    def make() -> str:
        import mlops_iac
        from mlops_iac.api.ci import workflows

        project = mlops_iac.load(EXAMPLE / "blueprint.yaml")
        return workflows.workflows(project, "github", root=EXAMPLE)[EXAMPLE / name]

    return make


# GitHub runs what lies in the top-level .github only, so here they are read and never run.
WORKFLOWS = [
    f".github/workflows/mlops-iac-schedule-adherence-{what}.yml"
    for what in ("preview", "fork-preview", "apply")
]
FILES |= {f"examples/schedule-adherence/{name}": workflow(name) for name in WORKFLOWS}


def main() -> int:
    """Write or compare every file; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = 0
    for name, make in FILES.items():
        path = ROOT / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = make()
        if old == new:
            continue
        stale += 1
        if check:
            print(f"stale: {name}; run `python tools/generated.py`")
            sys.stdout.writelines(
                list(difflib.unified_diff(old.splitlines(True), new.splitlines(True), n=0))[:20]
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new, encoding="utf-8")
            print(f"wrote {name}")
    import mlops_iac

    project = mlops_iac.load(EXAMPLE / "blueprint.yaml")
    if check:
        for reason in project.stale():
            stale += 1
            print(f"stale: stacks/schedule-adherence: {reason}; run `mlops-iac compile`")
    else:
        for written in project.compile().written:
            print(f"wrote {written.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
