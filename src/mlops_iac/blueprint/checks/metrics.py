"""Limits and gates: every number they bound must be computed by somebody."""

from __future__ import annotations

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.checks.serving import Entry
from mlops_iac.blueprint.sections.models import Model
from mlops_iac.blueprint.sections.serving import (
    ROLLOUT_METRICS,
    SERVICE_METRICS,
    Monitor,
    RealTime,
    Streaming,
)
from mlops_iac.blueprint.sections.values import FAIRNESS_METRICS, Limit
from mlops_iac.blueprint.words import listed, nearest


def check_metrics(check: Check) -> None:
    """Gates and tuning of models, limits of serving entries, limits that retrain."""
    for name, model in check.blueprint.models.items():
        _gates(check, f"models.{name}", model)
        _retrain_limits(check, name, model)
    for name, entry in check.blueprint.serving.items():
        path = f"serving.{name}"
        rollout = getattr(entry, "rollout", None)
        if rollout is not None:
            for metric, limit in rollout.limits.items():
                _bound_fits(check, f"{path}.rollout.limits.{metric}", metric, limit)
                if metric not in ROLLOUT_METRICS:
                    check.report(
                        f"{path}.rollout.limits.{metric}",
                        "unknown-metric",
                        f"'{metric}' is not measured while rolling out",
                        _hint(metric, ROLLOUT_METRICS),
                        at_key=True,
                    )
        if entry.monitor is not None:
            _monitor(check, path, entry, entry.monitor)


def _hint(metric: str, known: tuple[str, ...] | list[str]) -> str:
    meant = nearest(metric, known)
    there = f"there is: {listed(known)}" if known else "add it to the model's 'metrics'"
    return f"did you mean '{meant}'? {there}" if meant else there


def _gates(check: Check, path: str, model: Model) -> None:
    reported = check.entries(f"{path}.metrics")
    if reported is None:
        return
    for metric in model.evaluate.gates if model.evaluate is not None else ():
        at = f"{path}.evaluate.gates.{metric}"
        if metric in reported:
            continue
        if metric in FAIRNESS_METRICS:
            _needs_sensitive(check, at, metric, model)
        else:
            check.report(
                at,
                "unknown-metric",
                f"nothing computes '{metric}': it is neither in {path}.metrics nor a fairness metric",
                _hint(metric, [*reported, *FAIRNESS_METRICS] if reported else []),
                at_key=True,
            )
    tuned = model.tune.metric if model.tune is not None else None
    if tuned is not None and tuned not in reported:
        check.report(
            f"{path}.tune.metric",
            "unknown-metric",
            f"'{tuned}' is not in {path}.metrics",
            _hint(tuned, reported),
        )


def _needs_sensitive(check: Check, at: str, metric: str, model: Model) -> None:
    datasets = [check.blueprint.datasets.get(name) for name in model.datasets]
    if not any(item is None or item.sensitive for item in datasets) and not any(
        check.is_broken(f"datasets.{name}") for name in model.datasets
    ):
        check.report(
            at,
            "needs-sensitive",
            f"'{metric}' is measured over sensitive columns, and no dataset of the model names any",
            f"add `sensitive: [column]` to {listed((f'datasets.{n}' for n in model.datasets), 'or')}"
            if model.datasets
            else "name the model's datasets",
            at_key=True,
        )


def _bound_fits(check: Check, at: str, metric: str, limit: Limit) -> None:
    """Percentages lie between 0 and 100; nothing that a service measures is below 0."""
    measured = any(metric in names for names in SERVICE_METRICS.values())
    for key, bound in (("at_least", limit.at_least), ("at_most", limit.at_most)):
        if bound is None or not (measured or metric.endswith("_percent")):
            continue
        if bound < 0 or (metric.endswith("_percent") and bound > 100):
            most = " and 100" if metric.endswith("_percent") else ""
            words = f"between 0{most}" if most else "at least 0"
            check.report(
                f"{at}.{key}", "out-of-range", f"a limit on '{metric}' is {words}, not {bound}"
            )


def served_models(entry: Entry) -> list[str]:
    """Names of the models behind an entry."""
    variants = getattr(entry, "variants", None) or {}
    names = [entry.model, *(item.model for item in variants.values())]
    return [name for name in dict.fromkeys(names) if name is not None]


def _monitor(check: Check, path: str, entry: Entry, monitor: Monitor) -> None:
    service = SERVICE_METRICS[entry.mode]
    names = served_models(entry)
    models = [check.blueprint.models[name] for name in names if name in check.blueprint.models]
    reported = [check.entries(f"models.{name}.metrics") for name in names]
    complete = len(models) == len(names) and None not in reported
    own = [metric for each in reported for metric in each or ()]
    for metric, limit in monitor.limits.items():
        at = f"{path}.monitor.limits.{metric}"
        _bound_fits(check, at, metric, limit)
        if metric in service:
            if metric == "drift_psi":
                _needs_capture(check, at, entry, "drift is measured on captured calls")
        elif metric in FAIRNESS_METRICS and metric not in own:
            for model in models:
                _needs_sensitive(check, at, metric, model)
            _needs_capture(check, at, entry, f"'{metric}' is measured on captured calls")
        elif metric in own:
            if monitor.outcomes is None:
                check.report(
                    at,
                    "needs-outcomes",
                    f"'{metric}' can only be measured against the truth",
                    "add `outcomes: {dataset: …, key: …}` to the monitor",
                    at_key=True,
                )
            _needs_capture(check, at, entry, f"'{metric}' is measured on captured calls")
        elif complete:
            check.report(
                at,
                "unknown-metric",
                f"nothing computes '{metric}' for {path}",
                _hint(metric, [*service, *own, *FAIRNESS_METRICS]),
                at_key=True,
            )
    if monitor.outcomes is not None and not monitor.limits:
        _needs_capture(
            check, f"{path}.monitor.outcomes", entry, "outcomes are joined with captured calls"
        )


def _needs_capture(check: Check, at: str, entry: Entry, why: str) -> None:
    if not isinstance(entry, RealTime | Streaming):
        return  # a batch run's input and output are kept anyway, a device sends what it measured
    if check.is_broken(at.split(".monitor")[0] + ".capture"):
        return
    if entry.capture is None or entry.capture.percent == 0:
        said = "nothing is captured" if entry.capture is None else "capture.percent is 0"
        check.report(
            at,
            "drift-without-capture",
            f"{why}, and {said}",
            "add `capture: {percent: 100, retention_days: 30}`",
            at_key=True,
        )


def _retrain_limits(check: Check, name: str, model: Model) -> None:
    if model.retrain is None:
        return
    monitored = [
        metric
        for entry in check.blueprint.serving.values()
        if entry.monitor is not None and name in served_models(entry)
        for metric in entry.monitor.limits
    ]
    if check.is_broken("serving"):
        return
    for index, metric in enumerate(model.retrain.limits):
        if metric not in monitored:
            check.report(
                f"models.{name}.retrain.limits[{index}]",
                "unknown-metric",
                f"no monitor of a serving entry with '{name}' has a limit on '{metric}'",
                _hint(metric, list(dict.fromkeys(monitored)))
                if monitored
                else "add it to serving.….monitor.limits",
            )
