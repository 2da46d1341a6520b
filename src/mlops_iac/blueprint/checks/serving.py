"""Serving entries: variants, scaling, rollout, monitoring, inputs and outputs."""

from __future__ import annotations

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.checks.flows import check_flow, check_flows
from mlops_iac.blueprint.checks.models import check_runtime
from mlops_iac.blueprint.sections.compute import SIZES, EndpointCompute
from mlops_iac.blueprint.sections.serving import (
    Batch,
    Edge,
    RealTime,
    Rollout,
    Scaling,
    Streaming,
    Variant,
)

Entry = RealTime | Batch | Streaming | Edge


def check_serving(check: Check) -> None:
    """Each entry on its own, and what flows between them."""
    for name, entry in check.blueprint.serving.items():
        path = f"serving.{name}"
        check_runtime(check, f"{path}.runtime", entry.runtime)
        if isinstance(entry, Batch | Edge) and entry.model is None:
            hint = "there are several models" if check.blueprint.models else "add one to 'models'"
            check.missing(path, "model", hint)
        if isinstance(entry, RealTime | Streaming):
            if entry.variants is not None:
                _variants(check, f"{path}.variants", entry.variants)
            if entry.scaling is not None:
                _scaling(check, f"{path}.scaling", entry.scaling, entry.compute)
        if not isinstance(entry, Batch) and entry.rollout is not None:
            _rollout(check, f"{path}.rollout", entry.rollout)
        if isinstance(entry, Batch | Streaming):
            check_flow(check, path, entry)
        outcomes = entry.monitor.outcomes if entry.monitor is not None else None
        if outcomes is not None and outcomes.dataset is None:
            check.missing(f"{path}.monitor.outcomes", "dataset", "where the truth arrives")
    check_flows(check)


def _variants(check: Check, path: str, variants: dict[str, Variant]) -> None:
    total = 0
    complete = not check.is_broken(path)
    for name, variant in variants.items():
        inner = f"{path}.{name}"
        if variant.model is None:
            check.missing(inner, "model", "there are several models")
        if variant.traffic_percent is None and variant.shadow_percent is None:
            complete = False
            message = f"{inner} needs traffic_percent or shadow_percent"
            either = ("traffic_percent", "shadow_percent")
            check.report(inner, "missing", message, lacks=either)
        total += variant.traffic_percent or 0
    answering = [item for item in variants.values() if item.traffic_percent is not None]
    if not complete:
        return
    if not answering:
        check.report(
            path,
            "traffic",
            "every variant is a shadow; nobody answers",
            "give one traffic_percent: 100",
        )
    elif total != 100:
        shares = ", ".join(
            f"{name} {item.traffic_percent}"
            for name, item in variants.items()
            if item.traffic_percent is not None
        )
        check.report(
            path, "traffic", f"the variants' traffic_percent sums to {total}, not 100 ({shares})"
        )


def _scaling(check: Check, path: str, scaling: Scaling, compute: EndpointCompute) -> None:
    if check.is_broken(f"{path}.min") or check.is_broken(f"{path}.max"):
        pass  # there is no comparing
    elif scaling.min > scaling.max:
        at = "min" if check.resolved.is_written(f"{path}.min") else "max"
        check.report(
            f"{path}.{at}",
            "contradiction",
            f"{path}.min is {scaling.min} and so above max, {scaling.max}",
        )
    elif scaling.target is None and scaling.min != scaling.max:
        hint = "e.g. {requests_per_minute: 200}"
        check.missing(path, "target", hint, why="to know when to scale")
    target = scaling.target
    if target is None or target.gpu_percent is None or compute.size is None:
        return
    if not SIZES[compute.size][2]:
        check.report(
            f"{path}.target.gpu_percent",
            "no-gpu",
            f"size {compute.size} has no GPU",
            "use gpu-small or larger, or cpu_percent",
        )


def _rollout(check: Check, path: str, rollout: Rollout) -> None:
    if check.is_broken(f"{path}.strategy"):
        return
    stepwise = rollout.strategy in ("canary", "linear")
    for key in ("percent", "wait_minutes"):
        value = getattr(rollout, key)
        if stepwise and value is None:
            check.missing(path, key, why=f"for strategy {rollout.strategy}")
        if (
            not stepwise
            and value is not None
            and (key == "percent" or rollout.strategy != "blue-green")
        ):
            check.report(
                f"{path}.{key}",
                "no-effect",
                f"strategy {rollout.strategy} has no steps, so {path}.{key} means nothing",
                f"use canary or linear, or remove it (`{key}: null` in an environment)",
                at_key=True,
            )
