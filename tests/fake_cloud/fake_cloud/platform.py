"""The one platform: a resolved blueprint in, component calls out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fake_cloud.modes import MODES, FakeMode, home, identifier, tags
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.clouds.base import (
    Archive,
    ComponentCall,
    Definition,
    Home,
    Pass,
    Ref,
    Refusal,
    Setting,
    UserFile,
)
from mlops_iac.clouds.decisions import Decisions
from mlops_iac.errors import Diagnostic

if TYPE_CHECKING:
    from fake_cloud.emulator.world import World
    from fake_cloud.local import FakeBackend
    from mlops_iac.clouds.operations import Operations
    from mlops_iac.pipeline.steps import Lifecycle

_COMPONENTS = "fake_cloud.components"
_NAMES = tuple(mode.name for mode in MODES)


def _below(start: str, names: str) -> list[str]:
    return [f"{start}{name}" for name in names.split()]


_PLANNED = (
    *_below("", "blueprint name description extends owner tags.* platform region timezone account"),
    *_below("", "protect state.backend state.secrets_provider tracking orchestration approval"),
    *_below("", "security.keys options.fake.replicas overrides.** exceptions.*.*"),
    *_below("datasets.*.", "source format target time"),
    *_below("models.*.", "description code datasets version promote_from metrics.*"),
    *_below("models.*.", "runtime.framework runtime.version registry.approval"),
    *(
        each
        for step in ("prepare", "train", "evaluate")
        for each in _below(
            f"models.*.{step}.", "script timeout_minutes hyperparameters.* env.* compute.size"
        )
    ),
    "models.*.evaluate.gates.*.*",
)
_REFUSED = (
    Refusal("budget", "nothing costs anything", "leave it out"),
    Refusal("serving.*.mode", f"only {', '.join(_NAMES)} are served", "write one of them", _NAMES),
)


def _of(mode: str) -> list[FakeMode]:
    return [each for each in MODES if each.name == mode]


DECISIONS = Decisions(
    "Fake",
    _NAMES,
    lambda mode: [*_PLANNED, *(each for one in _of(mode) for each in one.planned)],
    lambda mode: [*_REFUSED, *(each for one in _of(mode) for each in one.refused)],
)


def trained(resolved: ResolvedBlueprint) -> list[str]:
    return [
        name
        for name, model in resolved.blueprint.models.items()
        if model.train is not None and home(resolved, name).environment == resolved.environment
    ]


class FakePlatform:
    """The platform `fake`."""

    name = "fake"
    cloud = "fake"
    regions: Sequence[str] = ("left", "right")
    modes = MODES

    def refuses(self, path: str, value: Any) -> str | None:
        return DECISIONS.refuses(path, value)

    def check(self, resolved: Any) -> list[Diagnostic]:
        entries = resolved.blueprint.serving.items()
        modes = {name: entry.mode if entry.mode in _NAMES else "" for name, entry in entries}
        found = list(DECISIONS.check(resolved, modes))
        if resolved.blueprint.region not in self.regions:
            message = f"region: the fake cloud has no region '{resolved.blueprint.region}'"
            found.append(resolved.diagnostic("region", "unknown-region", message, "left or right"))
        return [*found, *(each for mode in MODES for each in mode.check(resolved))]

    def plan(self, resolved: Any) -> list[ComponentCall]:
        from fake_cloud.local import printed
        from mlops_iac.pipeline.lifecycle import lifecycle
        from mlops_iac.runtime.files import runtime_files

        blueprint, replicas = resolved.blueprint, resolved.blueprint.options.fake.replicas
        files = {
            name: UserFile(str(resolved.file(dataset.source)))
            for name, dataset in blueprint.datasets.items()
            if dataset.source
        }
        store = {
            "files": files,
            "replicas": Setting(replicas, "options.fake.replicas", optional=True),
            "protect": Setting(blueprint.protect, "protect"),
            "tags": tags(resolved),
        }
        calls = [
            ComponentCall(
                "store",
                f"{_COMPONENTS}.store:Store",
                "store",
                store,
                "",
                exports={"bucket": "bucket"},
            )
        ]
        for name in trained(resolved):
            code = str(resolved.file(blueprint.models[name].code or ""))
            args = {
                "definition": Definition(
                    f"pipelines/{name}.json", printed(lifecycle(resolved, name))
                ),
                "code": Archive(f"code/{name}.tar.gz", code, runtime_files()),
                "bucket": Ref("store", "bucket"),
                "protect": Setting(blueprint.protect, "protect"),
                "tags": tags(resolved),
            }
            calls.append(
                ComponentCall(
                    f"{identifier(name)}_training",
                    f"{_COMPONENTS}.training:Training",
                    name,
                    args,
                    f"models.{name}",
                    exports={
                        f"{identifier(name)}_{each}": "pipeline"
                        for each in ("pipeline", "registry")
                    },
                    flag=f"models.{name}.trained_here",
                )
            )
        return [*calls, *(call for mode in MODES for call in mode.plan(resolved))]

    def guide(
        self, environments: Mapping[str, Any], plans: Mapping[str, Sequence[ComponentCall]]
    ) -> str:
        return "## Rights\n\nWhoever deploys may do everything."

    def provider_config(self, resolved: Any) -> Mapping[str, Any]:
        blueprint = resolved.blueprint
        return {"fake:region": blueprint.region, "fake:account": blueprint.account}

    def passes(self, resolved: Any, outputs: Callable[[], Mapping[str, Any]]) -> Sequence[Pass]:
        return ()

    def home(self, resolved: Any, model: str) -> Home:
        return home(resolved, model)

    def marks(self, resolved: Any) -> str:
        return f"names begin with {resolved.name}-{resolved.environment}"

    def conditions(self, resolved: Any, session: Any) -> tuple[()]:
        """None."""
        return ()

    @property
    def operations(self) -> Operations:
        from fake_cloud import operations

        return operations

    def lifecycles(self, resolved: Any) -> Mapping[str, Any]:
        from mlops_iac.pipeline.lifecycle import lifecycle
        from mlops_iac.records import as_json

        return {name: as_json(lifecycle(resolved, name)) for name in trained(resolved)}

    def deployed(
        self, kept: Any, definition: str, session: World
    ) -> tuple[Lifecycle, FakeBackend] | None:
        from fake_cloud.local import deployed

        return deployed(kept, definition, session)


PLATFORM = FakePlatform()
