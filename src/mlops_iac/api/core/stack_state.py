"""What is known of one deployed stack: its state, as a backend or the work folder has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_iac.api.core.engine_claim import PULUMI, Holder
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds import registry
from mlops_iac.clouds.access import Place
from mlops_iac.errors import MlopsError
from mlops_iac.graph.model import PROVIDER_TYPE
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.graph.canonical import CanonicalGraph
    from mlops_iac.graph.model import Resource


class State(Record):
    """What a backend keeps of one stack. `deployment` is empty where nothing was ever deployed.

    `updated` is ISO 8601 in UTC, `engine` words like `pulumi 3.260.0` or `embedded`. `tags` are the
    stack's own, asked for stacks that no blueprint declares.
    """

    stack: str
    deployment: Mapping[str, Any] = {}
    updated: str = ""
    engine: str = ""
    tags: Mapping[str, str] = {}

    @cached_property
    def registered(self) -> list[Resource]:
        """Everything that it holds; copies waiting for their deletion left out."""
        from mlops_iac.engine.pulumi_events import resource_of

        kept = self.deployment.get("resources") or ()
        return [resource_of(item) for item in kept if not item.get("delete")]

    @property
    def resources(self) -> list[Resource]:
        """Resources in the cloud."""
        return [each for each in self.registered if each.in_cloud]

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs as stored."""
        for item in self.deployment.get("resources") or ():
            if item.get("type") == "pulumi:pulumi:Stack":
                return dict(item.get("outputs") or {})
        return {}

    @property
    def place(self) -> Place:
        """Where its provider deployed to, as far as that says."""
        return deployed_by(self.registered)[0]

    def graph(self, project: str) -> CanonicalGraph:
        """Its resources, comparable with a lock file's."""
        from mlops_iac.graph.canonical import canonical
        from mlops_iac.graph.model import ResourceGraph

        return canonical(ResourceGraph(project, self.stack, tuple(self.resources)))


def deployed_by(resources: Iterable[Resource]) -> tuple[Place, Mapping[str, Any]]:
    """Where a stack with these resources was deployed, and the inputs of the provider that did.

    Both are empty before that.
    """
    for each in resources:
        package = each.type.removeprefix(PROVIDER_TYPE)
        if package != each.type and (cloud := registry.cloud_of(package)) is not None:
            return cloud.access.place(each.inputs), each.inputs
    return Place(), {}


def state_of(
    stack: str,
    deployment: Mapping[str, Any],
    *,
    updated: str = "",
    tags: Mapping[str, str] | None = None,
) -> State:
    """What a deployment, as exported or as it lies in a checkpoint, says of its stack."""
    manifest = deployment.get("manifest") or {}
    kind = (deployment.get("secrets_providers") or {}).get("type")
    version = str(manifest.get("version") or "").removeprefix("v")
    engine = "embedded" if kind == "mlops-iac-local-key" else f"pulumi {version}".strip()
    resources = deployment.get("resources") or ()
    when = str(manifest.get("time") or "") or updated
    # A stack that was only made has a manifest, and no engine ever worked on it.
    return State(
        stack=stack,
        deployment=deployment,
        updated=_seconds(when) if resources or updated else "",
        engine=engine if resources or updated else "",
        tags=tags or {},
    )


def emulated_state(project: BaseProject, stack: str) -> State:
    """The state of a stack of the emulated cloud, from the file of the engine that holds it."""
    if stack == LOCAL and Holder(project.work).engine() == PULUMI:
        kept = project.work / "pulumi" / ".pulumi" / "stacks" / project.name / "local.json"
    else:
        kept = project.work / "state" / f"{stack}.json"
    try:
        data = json.loads(kept.read_text(encoding="utf-8"))
        return state_of(stack, data["checkpoint"]["latest"] or {})
    except FileNotFoundError:
        return State(stack)
    except OSError as error:
        raise MlopsError(f"cannot read the state {kept}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        from mlops_iac.engine.embedded.store import damaged

        raise damaged(kept, f"it is no state: {type(error).__name__}") from None


def _seconds(time: str) -> str:
    """A time without its fractions, which differ in length: `2026-11-21T19:07:03Z`."""
    head, dot, _ = time.partition(".")
    return f"{head}Z" if dot else time
