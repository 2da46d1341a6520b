"""The real Pulumi CLI runs our rules as a policy pack and finds what we find."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_iac.api import Project, load
from mlops_iac.api.compile.guard_rail_checks import context_of, write_pack
from mlops_iac.api.compile.programs import default_out
from mlops_iac.api.core.guard_rails import configuration, rules
from mlops_iac.emulators.plugin import serve
from mlops_iac.policy.checking import check
from tests.cli.harness import copy_example
from tests.oracles.pulumi_cli import NEEDED, Pulumi

# The virtual environment that a pack runs in: it wants an older protobuf than the SDK has.
HOME = os.environ.get("MLOPS_IAC_POLICY_PACK", "")
pytestmark = [
    *NEEDED,
    pytest.mark.skipif(
        not Path(HOME, "bin", "python").exists(),
        reason="MLOPS_IAC_POLICY_PACK names no virtual environment with 'mlops-iac[policy-pack]'",
    ),
]

# (rule, resource's URN) pairs, by enforcement level.
Events = dict[str, set[tuple[str, str]]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    copied = load(copy_example(tmp_path_factory.mktemp("pack") / "project") / "blueprint.yaml")
    copied.compile()
    return copied


@pytest.fixture(scope="module")
def pulumi(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulumi]:
    """The CLI in the compiled program, with a stack `local`."""
    provider = project.emulated_cloud.providers("local")["aws"]
    with serve(provider, default_out(project)) as served:
        variables = {"PULUMI_DEBUG_COMMANDS": "true", **served.environment}  # for --event-log
        cli = Pulumi(default_out(project), tmp_path_factory.mktemp("home"), variables)
        cli("stack", "init", "local")
        cli("config", "set", f"{project.name}:models.adherence.version", "1")
        yield cli


@pytest.fixture
def preview(project: Project, pulumi: Pulumi, tmp_path: Path) -> Callable[..., Events]:
    """`pulumi preview` of the stack `local` with the project's pack, as in production."""

    def run(*, production: bool, ok: bool) -> Events:
        pack = tmp_path / "guard-rails"
        write_pack(project, pack)
        described = (pack / "PulumiPolicy.yaml").read_text()
        assert "virtualenv: .venv\n" in described
        (pack / "PulumiPolicy.yaml").write_text(described.replace(".venv", HOME))
        settings = json.loads((pack / "settings.json").read_text())
        settings["stacks"]["local"]["production"] = production
        (pack / "settings.json").write_text(json.dumps(settings))
        log = tmp_path / "events.json"
        said = pulumi("preview", "--policy-pack", str(pack), "--event-log", str(log), ok=ok)
        # A program that is stopped for a broken rule prints where it was.
        assert not ok or "Traceback" not in said, said
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
