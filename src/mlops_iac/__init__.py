"""From one typed blueprint to a previewed and deployed MLOps platform.

    import mlops_iac

    project = mlops_iac.load("blueprint.yaml")
    project.compile()                     # the Pulumi program and a lock file per stack
    plan = project.preview("prod")        # against the lock, without credentials
    with project.deployment("local") as deployment:
        result = deployment.up()          # the emulated cloud, started on demand

What stands in `__all__` is the public API (docs/python.md); modules below are the package's own and
change with it. Errors are told by their class, `MlopsError` is the base of all. Nothing heavy is
imported before it is used.
"""

from __future__ import annotations

import sys

# `python -m mlops_iac` looks for modules in the working folder first, and a checkout may have any.
if (
    sys.argv[:1] == ["-m"]  # for as long as the module is being looked for
    and not sys.flags.safe_path
    and sys.orig_argv[-len(sys.argv)].removeprefix("-m").partition(".")[0] == __name__
):
    del sys.path[0]

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = [
    "UNKNOWN",
    "AlarmState",
    "Asset",
    "Assumption",
    "AuthenticationError",
    "Blueprint",
    "BlueprintInvalid",
    "Cancelled",
    "Cause",
    "Compiled",
    "Deployment",
    "Diagnostic",
    "Entry",
    "Event",
    "Finding",
    "Invocation",
    "LastRun",
    "LeftPage",
    "MlopsError",
    "ModelState",
    "Monitored",
    "NotDeployed",
    "Origin",
    "Plan",
    "PlanMoved",
    "PolicyViolation",
    "PredictionResult",
    "Project",
    "PropertyChange",
    "Registry",
    "ResolvedBlueprint",
    "Resource",
    "ResourceFailed",
    "ResourceGraph",
    "Result",
    "Review",
    "ReviewedStep",
    "Risk",
    "Rollout",
    "Row",
    "Run",
    "RunEvent",
    "RunResult",
    "Secret",
    "Simulated",
    "StackNotFound",
    "Status",
    "Step",
    "TimedOut",
    "UnexpectedChanges",
    "Unknown",
    "UsageError",
    "Variant",
    "Version",
    "Waiting",
    "__version__",
    "load",
    "validate",
]

if TYPE_CHECKING:
    from mlops_iac.api.compile.checks import validate
    from mlops_iac.api.compile.compiling import Compiled
    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.api.deploy.registry import Registry
    from mlops_iac.api.invoke.invocation import Invocation
    from mlops_iac.api.invoke.monitoring import Simulated
    from mlops_iac.api.models.local_runs import Run
    from mlops_iac.api.models.run_pages import LeftPage
    from mlops_iac.api.project import Project, load
    from mlops_iac.api.status.models import ModelState, Waiting
    from mlops_iac.api.status.status import Row, Status
    from mlops_iac.blueprint import Blueprint, Origin, ResolvedBlueprint
    from mlops_iac.clouds.operations import (
        AlarmState,
        Entry,
        LastRun,
        Monitored,
        Rollout,
        Variant,
        Version,
    )
    from mlops_iac.engine.protocol import Event, Result
    from mlops_iac.errors import (
        AuthenticationError,
        BlueprintInvalid,
        Cancelled,
        Diagnostic,
        MlopsError,
        NotDeployed,
        PlanMoved,
        PolicyViolation,
        ResourceFailed,
        StackNotFound,
        TimedOut,
        UnexpectedChanges,
        UsageError,
    )
    from mlops_iac.graph.model import Resource, ResourceGraph
    from mlops_iac.graph.plan import Assumption, Plan, PropertyChange, Step
    from mlops_iac.pipeline.executor import RunEvent
    from mlops_iac.pipeline.local import RunResult
    from mlops_iac.pipeline.local_prediction import PredictionResult
    from mlops_iac.policy.model import Finding
    from mlops_iac.review.model import Cause, Review, ReviewedStep, Risk
    from mlops_iac.values import UNKNOWN, Asset, Secret, Unknown
else:
    # Hidden from type checkers: for them a module with this function has every name.
    _ROOMS = {
        "api.compile.compiling": "Compiled",
        "api.deploy.deployments": "Deployment",
        "api.project": "Project load",
        "api.compile.checks": "validate",
        "api.deploy.registry": "Registry",
        "api.invoke.invocation": "Invocation",
        "api.invoke.monitoring": "Simulated",
        "api.models.local_runs": "Run",
        "api.models.run_pages": "LeftPage",
        "api.status.status": "Row Status",
        "api.status.models": "ModelState Waiting",
        "blueprint": "Blueprint Origin ResolvedBlueprint",
        "clouds.operations": "AlarmState Entry LastRun Monitored Rollout Variant Version",
        "engine.protocol": "Event Result",
        "graph.model": "Resource ResourceGraph",
        "graph.plan": "Assumption Plan PropertyChange Step",
        "pipeline.executor": "RunEvent",
        "pipeline.local": "RunResult",
        "pipeline.local_prediction": "PredictionResult",
        "policy.model": "Finding",
        "review.model": "Cause Review ReviewedStep Risk",
        "values": "UNKNOWN Asset Secret Unknown",
    }

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        rooms = (room for room, names in _ROOMS.items() if name in names.split())
        return getattr(import_module(f"{__name__}.{next(rooms, 'errors')}"), name)

    def __dir__() -> list[str]:  # what an interactive shell completes
        return __all__
