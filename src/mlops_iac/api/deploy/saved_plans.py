"""Exact plans: saved with everything they depend on, compared with a fresh one, never executed.

`up --plan FILE` plans again from the checkout. The file decides one thing only: whether what is
about to happen is what was reviewed. Secrets are in no plan; `left_out` says which.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compare.comparisons import against_lock
from mlops_iac.api.compile import captures, programs
from mlops_iac.api.core.engine_claim import EMBEDDED
from mlops_iac.api.core.repository import around
from mlops_iac.api.core.worktree import changed
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.previews import compared_with
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds import registry
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.graph import saved_plan
from mlops_iac.graph.canonical import CanonicalGraph, canonical, canonical_value
from mlops_iac.graph.lock import installed_versions
from mlops_iac.graph.plan import Plan
from mlops_iac.graph.redact import REDACTED, redact, redact_at, redact_properties
from mlops_iac.graph.saved_plan import Basis, SavedPlan
from mlops_iac.values import contains_secret

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.graph.model import Resource
    from mlops_iac.review.model import Review

_GIT_SECONDS = 30


def preview_to_save(
    project: BaseProject,
    stack: str,
    *,
    against: str | None,
    live: bool,
    engine: str | None,
    review: Review | None = None,
) -> tuple[Plan, SavedPlan]:
    """Preview, and the same as a plan to save; see `Project.save_plan`.

    For the local state, the names that the plan shows are fixed from then on.
    """
    if review is not None:
        steps = [each.step for each in (*review.steps, *review.tool_changes)]
        plan = Plan(stack, project.name, review.engine, "lock", steps)
        return plan, plan_of_lock(project, stack, plan, review.to_json())
    emulated = project.emulates(stack)
    chosen = compared_with(stack, against=against, live=live, engine=engine, emulated=emulated)
    if chosen == "lock":
        plan = against_lock(project, stack)
        return plan, plan_of_lock(project, stack, plan)
    with Deployment(project, stack, engine=engine) as deployment:
        deployment.settle_names()
        plan = deployment.preview()
        return plan, plan_of_deployment(deployment, plan)


def plan_of_deployment(deployment: Deployment, plan: Plan) -> SavedPlan:
    """The plan of a deployment as a file: against the local state, or the real backend's."""
    project, stack = deployment.project, deployment.stack
    if deployment.targets:
        raise UsageError("a saved plan is one of the whole stack", hint="leave --target out")
    if deployment.lost:
        raise MlopsError(
            "the emulated cloud is not the one this was deployed to, so no plan of it is exact",
            hint="run `mlops-iac refresh` first; then preview and save again",
        )
    exact = deployment.engine_name == EMBEDDED
    config = dict(deployment.target.config)
    bound, hidden = _bound(project, stack, config)
    operations = saved_plan.operations_of(plan.steps, inputs=exact)
    bound["state"] = {
        each.urn: _state_digest(each) for each in deployment.engine.resources(deployment.target)
    }
    bound["outputs"] = canonical_value(redact(dict(plan.outputs))) if exact else {}
    resources = {entry["urn"]: entry.get("inputs", {}) for entry in operations}
    basis: Basis = "state"
    if not exact:
        basis = "live"
        operations.sort(key=lambda entry: (entry["urn"], entry["op"]))
        bound["versions"]["pulumi CLI"] = _cli_version()
        resources = _bind_graph(bound, _graph(project, stack))
    bound["assets"] = saved_plan.assets_in(resources)
    hidden += saved_plan.redacted_in(resources)
    return SavedPlan(
        project=project.name,
        stack=stack,
        engine=deployment.engine_name,
        basis=basis,
        bound=bound,
        operations=operations,
        left_out=sorted(set(hidden)),
    )


def plan_of_lock(
    project: BaseProject, stack: str, plan: Plan, review: Mapping[str, Any] | None = None
) -> SavedPlan:
    """The plan of a comparison with a lock file: bound to the symbolic graph, and to no state."""
    program = captures.build(project, programs.default_out(project))
    bound, hidden = _bound(project, stack, program.config[stack])
    resources = _bind_graph(bound, _graph(project, stack))
    bound["assets"] = saved_plan.assets_in(resources)
    return SavedPlan(
        project=project.name,
        stack=stack,
        engine=plan.engine,
        basis="lock",
        bound=bound,
        operations=saved_plan.operations_of(plan.steps, inputs=False),
        left_out=sorted({*hidden, *saved_plan.redacted_in(resources)}),
        review=review,
    )


def read_plan(path: str | Path, project: BaseProject, stack: str) -> SavedPlan:
    """Read a saved plan of this project and stack. Raises UsageError for anything else."""
    file = Path(path)
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise UsageError(f"the plan {file} cannot be read: {error.strerror}") from None
    plan = saved_plan.parse_plan(raw, file.name)
    for what, theirs, ours in (
        ("project", plan.project, project.name),
        ("stack", plan.stack, stack),
    ):
        if theirs != ours:
            raise UsageError(
                f"{file.name} is a plan of the {what} {theirs}, not of {ours}",
                hint=f"add `-s {theirs}`" if what == "stack" else "name the project's own plan",
            )
    return plan


def write_plan(plan: SavedPlan, path: str | Path) -> None:
    """Write the file, readable by its owner. Raises UsageError where it cannot be written."""
    file = Path(path)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(plan.to_bytes())
    except OSError as error:
        raise UsageError(f"the plan cannot be written to {file}: {error.strerror}") from None


def _bound(
    project: BaseProject, stack: str, config: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    from mlops_iac.program.binding import program_digests

    out = project.work / "program" if stack == LOCAL else programs.default_out(project)
    program = captures.build(project, out)
    cloud = registry.cloud(project.platform_of(stack).cloud)
    configuration, hidden = _configuration(out, stack, config)
    bound: dict[str, dict[str, Any]] = {
        "configuration": configuration,
        "program": program_digests(program),
        "versions": installed_versions(cloud.packages),
        "facts": {cloud.name: f"sha256:{cloud.knowledge.facts_digest()}"},
        "git": _git([project.root, *([] if stack == LOCAL else [out])]),
    }
    return bound, hidden


def _configuration(
    out: Path, stack: str, ours: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Every key with its value; secrets are left out, and named."""
    from mlops_iac.program.write import read_config

    theirs = {} if stack == LOCAL else read_config(out, stack)
    shown: dict[str, Any] = {}
    hidden = []
    for key, value in {**theirs, **ours}.items():
        encrypted = isinstance(value, Mapping) and "secure" in value
        clean = redact_at(key, value)
        if encrypted or contains_secret(value) or clean != value:
            hidden.append(f"configuration {key}")
        shown[key] = REDACTED if encrypted else canonical_value(clean)
    return shown, hidden


def _graph(project: BaseProject, stack: str) -> CanonicalGraph:
    return canonical(captures.capture(project, stack))


def _bind_graph(bound: dict[str, dict[str, Any]], graph: CanonicalGraph) -> dict[str, Any]:
    """Bind a symbolic graph; return the inputs of its resources by URN."""
    bound["graph"] = saved_plan.graph_section(graph)
    bound["outputs"] = dict(graph.outputs)
    return {resource.urn: resource.inputs for resource in graph.resources}


def _state_digest(resource: Resource) -> str:
    def clean(properties: Mapping[str, Any]) -> Any:
        secret = resource.additional_secret_outputs
        return canonical_value(redact_properties(resource.type, properties, secret_outputs=secret))

    return "sha256:" + saved_plan.digest_of(
        {
            "id": resource.id,
            "type": resource.type,
            "parent": resource.parent,
            "provider": resource.provider,
            "dependencies": sorted(resource.dependencies),
            "protect": resource.protect,
            "retain": resource.retain_on_delete,
            "inputs": clean(resource.inputs),
            "outputs": clean(resource.outputs),
        }
    )


def _cli_version() -> str:
    answer = subprocess.run(
        ["pulumi", "version"], capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
    )
    return answer.stdout.strip()


def _git(folders: Sequence[Path]) -> dict[str, Any]:
    """The trees of the folders at HEAD, and what is not committed there; empty outside of git.

    Trees and not commits: a merge commit has the tree that was reviewed, and another name.
    """
    found: dict[str, Any] = {}
    for folder in folders:
        with around(folder) as repository:
            if repository is None or not repository.has_commit:
                continue
            head = repository.commit("HEAD")
            name = repository.relative(folder)
            if tree := repository.tree_id(head, name):
                found[f"tree of {name}"] = tree
                if different := changed(repository, head, name):
                    found[f"uncommitted files of {name}"] = different
    return found
