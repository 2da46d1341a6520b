"""The real AWS provider creates the example in a closed network in moto, references and all.

A closed stack has everything that an open one has, and a network and an audit trail.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.oracles.conftest import closed_example
from tests.oracles.terraform_cli import Terraform, TerraformMissing
from tests.oracles.to_terraform import NOT_ON_MOTO, to_terraform

pytestmark = pytest.mark.terraform


@pytest.fixture
def moto(tmp_path):
    """An emulated AWS of this test's own; what it said stands beside a failure."""
    log = tmp_path / "moto.log"
    with log.open("wb") as said:
        server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("moto_in_order.py"))],
            stdout=subprocess.PIPE,
            stderr=said,
        )
    try:
        port = server.stdout.readline().strip()
        assert port, log.read_text("utf-8")
        yield f"http://127.0.0.1:{int(port)}"
    finally:
        server.kill()
        server.wait()
        # pytest shows what was printed only where the test failed.
        print(*log.read_text("utf-8").splitlines()[-40:], sep="\n")


@pytest.fixture
def terraform(tmp_path):
    folder = tmp_path / "terraform"
    folder.mkdir()
    try:
        return Terraform(folder)
    except TerraformMissing as missing:
        pytest.skip(str(missing))


def test_the_provider_creates_the_example(tmp_path, terraform, moto):
    from mlops_iac.api import load
    from mlops_iac.api.compile.captures import work_program

    # `dev` trains and retrains.
    project = load(closed_example(tmp_path))
    whole = project.capture("dev")
    graph = replace(whole, resources=tuple(r for r in whole if r.type not in NOT_ON_MOTO))
    program, _ = work_program(project)
    terraform.write(to_terraform(graph, endpoint=moto, assets=program))
    done = terraform.run("apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=20")
    assert done.returncode == 0, done.stderr
    state = json.loads((terraform.folder / "terraform.tfstate").read_text("utf-8"))
    made = [r for r in graph if r.custom and not r.type.startswith("pulumi:")]
    assert {"aws_vpc", "aws_cloudtrail", "aws_sagemaker_pipeline"} <= {
        r["type"] for r in state["resources"]
    }
    assert len(state["resources"]) == len(made)
