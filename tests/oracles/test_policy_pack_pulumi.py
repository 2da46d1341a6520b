"""The real Pulumi CLI runs our rules as a policy pack and finds what we find."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_iac.api import Project, load
from mlops_iac.api.compile.guard_rail_checks import context_of, write_pack
from mlops_iac.api.core.guard_rails import configuration, rules
from mlops_iac.emulators.aws import server
from mlops_iac.policy.checking import check
from tests.cli.harness import copy_example

pytestmark = [
    pytest.mark.pulumi_cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no `pulumi` on PATH"),
    pytest.mark.skipif(
        importlib.util.find_spec("pulumi_policy") is None,
        reason="pulumi-policy is not installed (pip install 'mlops-iac[policy-pack]')",
    ),
]

# (rule, resource's URN) pairs, by enforcement level.
Events = dict[str, set[tuple[str, str]]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    from mlops_iac.emulators.aws.provider import AwsProvider
    from mlops_iac.emulators.plugin import serve

    folder = tmp_path_factory.mktemp("pack")
    info = server.AwsServer(folder / ".mlops-iac").ensure()
    try:
        with serve(AwsProvider(info.url), folder) as plugin:
            yield plugin.environment
    finally:
        server.AwsServer(folder / ".mlops-iac").stop()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    copied = load(copy_example(tmp_path / "project") / "blueprint.yaml")
    copied.compile()
    return copied


@pytest.fixture
def preview(project: Project, tmp_path: Path, served: dict[str, str]) -> Callable[..., Events]:
    """`pulumi preview` of the stack `local` with the project's pack, as in production."""
    from mlops_iac.api.compile.programs import default_out

    program = default_out(project)
    (tmp_path / "state").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DEBUG_COMMANDS": "true",  # for --event-log
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        **served,
    }

    def pulumi(*arguments: str, ok: bool = True) -> None:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=program,
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        said = done.stdout + done.stderr
        assert (done.returncode == 0) is ok, said
        # A program that is stopped for a broken rule prints where it was.
        assert not ok or "Traceback" not in said, said

    pulumi("stack", "init", "local")
    pulumi("config", "set", f"{project.name}:models.adherence.version", "1")

    def run(*, production: bool, ok: bool) -> Events:
        pack = tmp_path / "guard-rails"
        write_pack(project, pack)
        described = (pack / "PulumiPolicy.yaml").read_text()
        (pack / "PulumiPolicy.yaml").write_text(described.replace(".venv", sys.prefix))
        settings = json.loads((pack / "settings.json").read_text())
        settings["stacks"]["local"]["production"] = production
        (pack / "settings.json").write_text(json.dumps(settings))
        log = tmp_path / "events.json"
        log.unlink(missing_ok=True)
        pulumi("preview", "--policy-pack", str(pack), "--event-log", str(log), ok=ok)
        events: Events = {}
        for line in log.read_text().splitlines():
            if event := json.loads(line).get("policyEvent"):
                found = (event["policyName"], event.get("resourceUrn", ""))
                events.setdefault(event["enforcementLevel"], set()).add(found)
        return events

    return run


def ours(project: Project, *, production: bool) -> Events:
    known = rules(project)
    settings = configuration(project, known)
    context = context_of(project, "local", project.capture("local"), settings)
    found: Events = {}
    for each in check(replace(context, production=production), known, settings):
        found.setdefault(each.severity, set()).add((each.rule, each.urn))
    return found


def without_stack(events: Events) -> Events:
    """What concerns the whole stack has no URN with us, and the stack's with the CLI."""
    return {
        level: {(rule, "" if "pulumi:pulumi:Stack" in urn else urn) for rule, urn in found}
        for level, found in events.items()
    }


def test_the_example_is_clean_under_the_real_engine(
    project: Project, preview: Callable[..., Events]
) -> None:
    assert preview(production=False, ok=True) == ours(project, production=False) == {}


def test_both_engines_find_the_same_in_production(
    project: Project, preview: Callable[..., Events]
) -> None:
    expected = ours(project, production=True)
    assert {rule for rule, _ in expected["mandatory"]} == {"protection"}
    assert {rule for rule, _ in expected["advisory"]} == {"single-instance"}
    assert without_stack(preview(production=True, ok=False)) == expected
