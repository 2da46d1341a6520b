"""What the states of a project's stacks say, asked of their backends; or why they cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile.programs import backend
from mlops_iac.api.project import LOCAL
from mlops_iac.errors import MlopsError, StackNotFound
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.engine.pulumi_backend import Backend
    from mlops_iac.graph.canonical import CanonicalGraph


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

    @property
    def resources(self) -> list[Mapping[str, Any]]:
        """Resources in the cloud, copies waiting for their deletion left out."""
        return [
            item
            for item in self.deployment.get("resources") or ()
            if item.get("custom") and not item.get("delete") and item["type"][:7] != "pulumi:"
        ]

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs as stored."""
        for item in self.deployment.get("resources") or ():
            if item.get("type") == "pulumi:pulumi:Stack":
                return dict(item.get("outputs") or {})
        return {}

    @property
    def region(self) -> str:
        """The region that its provider deployed to, empty where it does not say."""
        return str(self.provider.get("region") or "")

    @property
    def account(self) -> str:
        """The one account that its provider was allowed to deploy to, empty where any was."""
        return only_account(self.provider.get("allowedAccountIds"))

    @property
    def provider(self) -> Mapping[str, Any]:
        """The inputs of the provider that made it; lists in them are kept as JSON texts."""
        for item in self.deployment.get("resources") or ():
            if item.get("type") == "pulumi:providers:aws":
                return dict(item.get("inputs") or {})
        return {}

    def graph(self, project: str) -> CanonicalGraph:
        """Its resources, comparable with a lock file's."""
        from mlops_iac.engine.pulumi_events import resource_of
        from mlops_iac.graph.canonical import canonical
        from mlops_iac.graph.model import ResourceGraph

        found = tuple(resource_of(item) for item in self.resources)
        return canonical(ResourceGraph(project, self.stack, found))


def only_account(allowed: Any) -> str:
    """The account of a provider's `allowedAccountIds`, a list or its JSON text; empty unless one."""
    accounts = json.loads(allowed or "[]") if isinstance(allowed, str) else allowed or ()
    return "".join(map(str, accounts)) if len(accounts) == 1 else ""


class States(Record):
    """What could be asked. `unknown` maps stacks to the reason why theirs could not."""

    known: Mapping[str, State]
    unknown: Mapping[str, str]
    # Stacks of the project in a backend that are no environment of the blueprint.
    others: Sequence[State] = ()
    # Reasons why a whole backend could not be asked, by URL.
    silent: Mapping[str, MlopsError] = {}


def states(project: Project, *, others: bool = True) -> States:
    """Ask every backend of the project's environments once. Raises nothing about backends.

    `others` also asks for stacks that are no environments: ephemeral ones are among them.
    """
    by_url: dict[str, list[str]] = {}
    for name in project.environments:
        if not project.emulates(name):
            by_url.setdefault(backend(project, name), []).append(name)
    known = {
        name: emulated_state(project, name)
        for name in project.environments
        if project.emulates(name)
    }
    unknown: dict[str, str] = {}
    strangers: list[State] = []
    silent: dict[str, MlopsError] = {}
    if not by_url and not project.rehearsed:
        by_url[""] = []  # the user's own may have ephemeral ones
    for url, names in by_url.items():
        try:
            found = _ask(project, url, names, others=others)
        except MlopsError as error:
            silent[url] = error
            unknown.update(dict.fromkeys(names, unasked(error.message)))
            continue
        for state in found:
            if state.stack in names:
                known[state.stack] = state
            elif state.stack not in project.environments:
                strangers.append(state)
    ordered = {name: known[name] for name in project.environments if name in known}
    return States(ordered, unknown, strangers, silent)


def unasked(message: str) -> str:
    """Why a state could not be read; that nothing was changed goes without saying of a question."""
    return message.removesuffix("; nothing was changed")


def _ask(project: Project, url: str, names: Sequence[str], *, others: bool) -> list[State]:
    from mlops_iac.engine.pulumi_backend import Backend

    found = {name: State(name) for name in names}
    with Backend(project.name, url) as asked:
        for item in asked.stacks():
            if item.name not in names and not others:
                continue
            exported = asked.export(item.name)["deployment"] or {}
            tags = {} if item.name in names else asked.tags(item.name)
            found[item.name] = state_of(item.name, exported, updated=item.updated, tags=tags)
    return list(found.values())


def state_in(backend: Backend, stack: str) -> State | None:
    """A stack's state with its tags; None where the backend does not list it."""
    listed = next((item for item in backend.stacks() if item.name == stack), None)
    if listed is None:
        return None
    exported = backend.export(stack)["deployment"] or {}
    return state_of(stack, exported, updated=listed.updated, tags=backend.tags(stack))


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


def emulated_state(project: Project, stack: str) -> State:
    """The state of a stack of the emulated cloud, from the file of the engine that holds it."""
    from mlops_iac.api.deploy.engine_claim import PULUMI, Holder

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


def export(project: Project, stack: str) -> dict[str, Any]:
    """Return a stack's state as its engine gives it: `{version, deployment}`, secrets sealed.

    Raises StackNotFound where nothing was ever deployed to it, and what its backend says.
    """
    if project.emulates(stack):
        state = emulated_state(project, stack)
        if not state.deployment:
            raise StackNotFound(
                f"nothing was ever deployed to {stack}", hint="`mlops-iac up` deploys it"
            )
        return {"version": 3, "deployment": dict(state.deployment)}
    from mlops_iac.api.stacks.ephemeral import RecordedProject
    from mlops_iac.engine.pulumi_backend import Backend

    if isinstance(project, RecordedProject) and stack == project.stack:
        url = project.url
    else:
        url = backend(project, stack)
    with Backend(project.name, url) as asked:
        return asked.export(stack)


def _seconds(time: str) -> str:
    """A time without its fractions, which differ in length: `2026-11-21T19:07:03Z`."""
    head, dot, _ = time.partition(".")
    return f"{head}Z" if dot else time
