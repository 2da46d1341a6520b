"""The real AWS provider creates the example's stack in moto, references and all."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace

import pytest

from tests.oracles.conftest import APPLIED, BLUEPRINT, CLOSED, closed
from tests.oracles.terraform_cli import Terraform, TerraformMissing
from tests.oracles.to_terraform import NOT_ON_MOTO, to_terraform

pytestmark = pytest.mark.terraform


@pytest.fixture
def moto():
    """An emulated AWS of this test's own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/moto-api/", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("moto did not start")
        yield url
    finally:
        server.terminate()
        server.wait()


def creatable(graph):
    """The graph without what the provider cannot create on moto."""
    return replace(graph, resources=tuple(r for r in graph if r.type not in NOT_ON_MOTO))


@pytest.fixture
def terraform(tmp_path):
    folder = tmp_path / "terraform"
    folder.mkdir()
    try:
        return Terraform(folder)
    except TerraformMissing as missing:
        pytest.skip(str(missing))


def apply(terraform, graph):
    """Create everything, and find everything in the state."""
    done = terraform.run("apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=20")
    assert done.returncode == 0, done.stderr
    state = json.loads((terraform.folder / "terraform.tfstate").read_text("utf-8"))
    made = [r for r in graph if r.custom and not r.type.startswith("pulumi:")]
    assert len(state["resources"]) == len(made)


def test_the_provider_creates_a_closed_network(terraform, moto):
    """With what it refers to: buckets and keys."""
    whole = closed(APPLIED)
    graph = creatable(
        replace(whole, resources=tuple(r for r in whole if r.name.startswith(CLOSED)))
    )
    terraform.write(to_terraform(graph, endpoint=moto))
    apply(terraform, graph)


def test_the_provider_creates_the_example(tmp_path, terraform, moto):
    from mlops_iac.api import load
    from mlops_iac.api.compiling import work_program

    example = tmp_path / "example"
    shutil.copytree(
        BLUEPRINT.parent, example, ignore=shutil.ignore_patterns(".mlops-iac", "__pycache__")
    )
    project = load(example / BLUEPRINT.name)
    graph = creatable(project.capture(APPLIED))
    program, _ = work_program(project)
    terraform.write(to_terraform(graph, endpoint=moto, assets=program))
    apply(terraform, graph)
