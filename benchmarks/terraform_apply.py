"""The example's resources by the real AWS provider, on an emulator of the same kind.

    python benchmarks/terraform_apply.py PROJECT

Prints the seconds of `terraform apply` beside those of `up` for the resources that the provider can
create on moto at all, and the ratio; says so where terraform or the provider is not installed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mlops_iac.api import load
from mlops_iac.api.compile.captures import work_program
from tests.oracles.terraform_cli import Terraform, TerraformMissing
from tests.oracles.to_terraform import NOT_ON_MOTO, to_terraform

TOOL = [sys.executable, "-m", "mlops_iac"]


def main() -> None:
    """Time both on emulators of their own."""
    folder = Path(sys.argv[1])
    project = load(folder / "blueprint.yaml")
    with tempfile.TemporaryDirectory() as work:
        try:
            terraform = Terraform(Path(work))
        except TerraformMissing as missing:
            print(f"terraform apply: skipped, {missing}")
            return
        graph = project.capture("dev")
        kept = tuple(item for item in graph if item.type not in NOT_ON_MOTO)
        program, _ = work_program(project)
        endpoint = project.cloud.ensure().url
        terraform.write(
            to_terraform(replace(graph, resources=kept), endpoint=endpoint, assets=program)
        )
        started = time.perf_counter()
        done = terraform.run(
            "apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=20"
        )
        theirs = time.perf_counter() - started
        project.cloud.stop()
        if done.returncode:
            print(f"terraform apply: failed: {done.stderr.strip().splitlines()[-1]}")
            return
        project.cloud.ensure()
        started = time.perf_counter()
        subprocess.run([*TOOL, "up", "--yes"], cwd=folder, check=True, capture_output=True)
        ours = time.perf_counter() - started
        project.cloud.stop()
        made = sum(1 for item in kept if item.custom and not item.type.startswith("pulumi:"))
        everything = sum(1 for item in graph if item.custom and not item.type.startswith("pulumi:"))
        print(
            f"terraform apply {theirs:.1f}s for {made} resources, up {ours:.1f}s for the "
            f"{everything} there are: {theirs / ours:.1f}x faster (aim 4x)"
        )


if __name__ == "__main__":
    main()
