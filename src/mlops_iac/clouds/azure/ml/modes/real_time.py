"""Real-time serving: entries behind a managed online endpoint, which has at least one instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.blueprint.sections.serving import Variant as VariantSection
from mlops_iac.blueprint.torn import judged, whole
from mlops_iac.blueprint.words import suggestion
from mlops_iac.clouds.azure import catalogue
from mlops_iac.clouds.azure.ml.parts import Mode, Part
from mlops_iac.clouds.azure.ml.scope import (
    FOUNDATION,
    WORKSPACE,
    Scope,
    call,
    construct,
)
from mlops_iac.clouds.base import ComponentCall, Construct, Ref, Refusal, Setting
from mlops_iac.clouds.parts import of_each, prefixed
from mlops_iac.clouds.scope import identifier
from mlops_iac.errors import Diagnostic

# The variant of an entry that names a model and no variants.
ONLY_VARIANT = "main"
_TARGETS = ("requests_per_minute", "cpu_percent", "gpu_percent")
_RIGHTS = "serving_rights"
# Source: azure-ai-docs, how-to-manage-quotas, "Azure Machine Learning online endpoints and batch endpoints".
_MOST_INSTANCES = 50
# Source: azure-ai-docs, how-to-safely-rollout-online-endpoints, mirrored traffic.
_MOST_SHADOW_PERCENT = 50
_ONE_SHADOW = "write one variant that answers, and one shadow"


def live_setting(name: str) -> str:
    """The configuration key by which a run of the program leaves what an entry has as it is."""
    return f"serving.{name}.live"


def live_output(name: str) -> str:
    """The stack's output that says what an entry has."""
    return f"{identifier(name)}_live"


def variants(entry: RealTime) -> Mapping[str, VariantSection]:
    """The variants of an entry, with the one that a single model makes."""
    if entry.variants:
        return entry.variants
    return {ONLY_VARIANT: VariantSection(model=entry.model, traffic_percent=100)}


def _entries(scope: Scope) -> dict[str, RealTime]:
    return scope.entries(RealTime)


def _rights(_: Scope) -> Iterator[ComponentCall]:
    yield call(
        _RIGHTS,
        "serving_rights:ServingRights",
        {
            "principal_id": Ref(FOUNDATION, "serve.principal_id"),
            "registry_id": Ref("images", "registry_id"),
            "storage_id": Ref("data", "account_id"),
        },
        path="serving",
    )


def _plan(scope: Scope, name: str, entry: RealTime) -> Iterator[ComponentCall]:
    path, variable = f"serving.{name}", identifier(name)
    yield call(
        variable,
        "real_time_endpoint:RealTimeEndpoint",
        {
            **scope.place,
            "workspace": Ref(WORKSPACE, "workspace"),
            "workspace_id": Ref(WORKSPACE, "workspace_id"),
            "identity_id": Ref(FOUNDATION, "serve.id"),
            "logs_id": Ref("observability", "workspace_id"),
            "variants": [
                _variant(scope, name, entry, key, each) for key, each in variants(entry).items()
            ],
            "scaling": _scaling(name, entry),
            "limits": _limits(scope, name, entry),
            "description": (
                Setting(entry.description, f"{path}.description") if entry.description else None
            ),
            "live": Setting(None, live_setting(name), optional=True),
            "protect": scope.protect,
        },
        path=path,
        name=name,
        depends_on=(_RIGHTS,),
        exports={
            f"{variable}_endpoint": "endpoint",
            f"{variable}_scoring_uri": "scoring_uri",
            f"{variable}_pending": "pending",
            live_output(name): "live",
        },
    )


def _variant(
    scope: Scope, entry_name: str, entry: RealTime, name: str, variant: VariantSection
) -> Construct:
    path = f"serving.{entry_name}"
    at = f"{path}.variants.{name}"
    model = variant.model or ""
    shadow = variant.shadow_percent
    return construct(
        "real_time_endpoint:Variant",
        {
            "name": name,
            "model": model,
            "version": Setting(
                scope.blueprint.models[model].version, f"models.{model}.version", optional=True
            ),
            "instance_type": Setting(_machine(entry), f"{path}.compute.instance"),
            "variables": {
                key: Setting(value, f"{path}.env.{key}")
                for key, value in entry.env.items()
                if isinstance(value, str)
            }
            or None,
            "traffic_percent": (
                None
                if shadow is not None or not entry.variants
                else Setting(variant.traffic_percent or 0, f"{at}.traffic_percent")
            ),
            "shadow_percent": None if shadow is None else Setting(shadow, f"{at}.shadow_percent"),
        },
    )


def _machine(entry: RealTime) -> str:
    known = catalogue.machine(entry.compute, "hosting")
    # What is not known is refused, or said to be so.
    return str(entry.compute.instance) if known is None else known.name


def _scaling(name: str, entry: RealTime) -> Construct | None:
    scaling = entry.scaling
    if scaling is None:
        return None
    path = f"serving.{name}.scaling"
    target = next((each for each in _TARGETS if getattr(scaling.target, each, None)), None)
    return construct(
        "real_time_endpoint:Scaling",
        {
            "min": Setting(scaling.min, f"{path}.min"),
            "max": Setting(scaling.max, f"{path}.max"),
            "metric": target,
            "value": target and Setting(getattr(scaling.target, target), f"{path}.target.{target}"),
        },
    )


def _limits(scope: Scope, name: str, entry: RealTime) -> Construct | None:
    limits: dict[str, Any] = {
        metric: Setting(limit.at_most, f"serving.{name}.monitor.limits.{metric}.at_most")
        for metric, limit in (entry.monitor.limits.items() if entry.monitor else ())
    }
    if not limits:
        return None
    told = Ref("alerts", "action_group_id") if scope.blueprint.alerts else None
    return construct("real_time_endpoint:Limits", {**limits, "action_group_id": told})


def _values(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    path, machine, scaling = f"serving.{name}", entry.compute.instance, entry.scaling
    known = catalogue.endpoint_machines()
    if machine is not None and machine not in known:
        yield scope.wrong(
            f"{path}.compute.instance",
            f"'{machine}' is no machine of managed endpoints",
            suggestion(machine, list(known)) or "write e.g. Standard_D2as_v4, or a `size`",
            code="unknown-instance",
        )
    if scaling is not None and scaling.min == 0:
        yield scope.wrong(
            f"{path}.scaling.min", "a managed endpoint does not scale to zero", "write `min: 1`"
        )
    if scaling is not None and scaling.max > _MOST_INSTANCES:
        yield scope.wrong(
            f"{path}.scaling.max",
            f"a deployment has {_MOST_INSTANCES} instances at most",
            f"write {_MOST_INSTANCES} or less",
        )
    for key, value in entry.env.items():
        if not isinstance(value, str):
            at, hint = f"{path}.env.{key}", "read it in predict.py"
            yield scope.wrong(at, "endpoints take no secrets yet", hint)


def _check(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    return judged(_shadows(scope, name, entry), _sources(scope, name, entry))


def _shadows(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    path = f"serving.{name}.variants"
    known = whole(variants(entry))
    shadows = {key: each for key, each in known.items() if each.shadow_percent is not None}
    if not shadows:
        return
    if len(shadows) == len(known):
        yield scope.wrong(path, "none answers", _ONE_SHADOW, at_key=True)
    elif len(shadows) > 1:
        yield scope.wrong(path, "an endpoint has one shadow at most", _ONE_SHADOW, at_key=True)
    for key, each in shadows.items():
        if (each.shadow_percent or 0) > _MOST_SHADOW_PERCENT:
            yield scope.wrong(
                f"{path}.{key}.shadow_percent",
                f"Azure copies {_MOST_SHADOW_PERCENT} % of the calls at most",
                f"write {_MOST_SHADOW_PERCENT} or less",
            )


def _sources(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    for key, each in variants(entry).items():
        if scope.blueprint.models[each.model or ""].train is None:
            at = f"serving.{name}"
            yield scope.wrong(
                f"{at}.variants.{key}" if entry.variants else at,
                f"{each.model} is not trained here",
                "train it",
            )


def _names(scope: Scope) -> Iterator[tuple[str, str]]:
    for name in _entries(scope):
        yield identifier(name), f"serving.{name}"


def _guide(scopes: Sequence[Scope]) -> Iterator[str]:
    yield from ("## Quota for endpoints", "")
    yield (
        "A version that takes over stands beside the one before it, and Azure wants quota for a fifth more"
        " instances than there are. Ask for it where it is short (`az ml compute list-usage`):"
    )
    yield ""
    for scope in scopes:
        for name, entry in _entries(scope).items():
            machine, instances = _machine(entry), entry.scaling.max if entry.scaling else 1
            cores, reserved = catalogue.endpoint_machines()[machine]
            each = -(-instances * 6 // 5) if reserved else instances
            total = 2 * len(variants(entry)) * each * cores
            yield f"- `{scope.environment}`, `{name}`: {total} cores of `{machine}`"


RIGHTS = Part(
    there=_entries,
    plan=_rights,
    names=lambda scope: [(_RIGHTS, "serving")] if _entries(scope) else [],
    identities=("serve",),
)
REAL_TIME = Mode(
    name="real-time",
    section=RealTime,
    there=_entries,
    plan=of_each(RealTime, _plan),
    planned=prefixed(
        "serving.*.",
        "description mode model env.* variants.*.model variants.*.traffic_percent "
        "variants.*.shadow_percent compute.size compute.instance scaling.min scaling.max "
        "scaling.target.requests_per_minute scaling.target.cpu_percent scaling.target.gpu_percent "
        "rollout.strategy monitor.limits.latency_p99_ms.at_most "
        "monitor.limits.error_rate_percent.at_most",
    ),
    refused=(
        Refusal("serving.*.runtime", "an entry serves with its model's runtime", "set it there"),
        Refusal("serving.*.callers", "endpoints grant no one yet", "allow them by a role"),
        Refusal("serving.*.capture", "calls are not kept yet", "leave it out"),
        Refusal(
            "serving.*.compute.disk_gb",
            "a disk comes with the machine",
            "choose an `instance` that has it",
        ),
        Refusal(
            "serving.*.scaling.target.concurrency",
            "Azure measures no calls of an instance at the same time",
            "write `requests_per_minute`",
        ),
        Refusal(
            "serving.*.rollout.strategy",
            "calls go to a new version at once, when it is there",
            "write `blue-green` or `all-at-once`",
            ("blue-green", "all-at-once"),
        ),
        *(
            Refusal(f"serving.*.rollout.{field}", "no step is watched yet", "leave it out")
            for field in ("percent", "wait_minutes", "limits")
        ),
        *(
            Refusal(
                f"serving.*.monitor.{field}", "nothing is computed of calls yet", "leave it out"
            )
            for field in ("schedule", "outcomes")
        ),
    ),
    values=of_each(RealTime, _values),
    check=of_each(RealTime, _check),
    names=_names,
    guide=_guide,
)
