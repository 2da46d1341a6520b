"""What SageMaker support decides about every field of the language: planned, or refused and why.

A written field that stands in neither table is refused too, so that a new field of the language
is loud until someone decides about it. `*` in a pattern is one key of a mapping, `**` at its end everything below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

from mlops_iac.blueprint.words import join, split
from mlops_iac.records import Record


class Refusal(Record):
    """A field, and everything below it, that is refused unless its value is one of `unless`."""

    pattern: str
    reason: str
    instead: str
    unless: tuple[Any, ...] = ()


_STEP = (
    "script",
    "runtime.framework",
    "runtime.version",
    "runtime.image",
    "compute.size",
    "compute.instance",
    "compute.count",
    "compute.disk_gb",
    "compute.spot",
    "timeout_minutes",
    "env.*",
)

PLANNED: tuple[str, ...] = (
    # The stack as a whole.
    "blueprint",
    "name",
    "description",
    "extends",
    "owner",
    "tags.*",
    "platform",
    "region",
    "timezone",
    "account",
    "deploy_as",
    "protect",
    "moved.*",
    "overrides.**",
    *(f"exceptions.*.{name}" for name in ("at", "reason", "until")),
    "state.backend",
    "state.secrets_provider",
    "alerts.*.email",
    "budget.monthly_usd",
    "budget.alert_percent",
    "security.network",
    "security.egress",
    "security.keys",
    "security.audit_log",
    "security.access.approvers",
    "tracking",
    "orchestration",
    "approval",
    "options.sagemaker.permissions_boundary",
    # Options of other platforms are theirs to read.
    *(f"options.{name}" for name in ("azure-ml", "vertex", "mlflow-aws", "kubeflow-azure")),
    "existing.network",
    "existing.subnets",
    "existing.security_groups",
    "existing.key",
    "existing.roles.*",
    # Data.
    *(
        f"datasets.*.{name}"
        for name in (
            "description",
            "source",
            "format",
            "target",
            "time",
            "window_days",
            "checks.*.not_null",
            "checks.*.at_least",
            "checks.*.at_most",
        )
    ),
    # Models.
    *(
        f"models.*.{name}"
        for name in (
            "description",
            "code",
            "runtime.framework",
            "runtime.version",
            "runtime.image",
            "datasets",
            "metrics.*",
            *(f"prepare.{item}" for item in _STEP),
            *(f"train.{item}" for item in _STEP),
            "train.checkpoints",
            "train.spot_wait_minutes",
            "train.hyperparameters.*",
            "tune.strategy",
            "tune.metric",
            "tune.trials",
            "tune.parallel",
            "tune.search.*.values",
            "tune.search.*.integer",
            "tune.search.*.continuous",
            "tune.search.*.scale",
            *(f"evaluate.{item}" for item in _STEP),
            "evaluate.gates.*.at_least",
            "evaluate.gates.*.at_most",
            "registry.approval",
            "retrain.schedule",
            "retrain.new_data",
            "retrain.limits",
            "retrain.cooldown_hours",
            "source",
            "promote_from",
            "version",
            "env.*",
        )
    ),
    # Real-time serving.
    *(
        f"serving.*.{name}"
        for name in (
            "description",
            "mode",
            "model",
            "env.*",
            "variants.*.model",
            "variants.*.traffic_percent",
            "variants.*.shadow_percent",
            "compute.size",
            "compute.instance",
            "compute.disk_gb",
            "scaling.min",
            "scaling.max",
            "scaling.target.requests_per_minute",
            "scaling.target.concurrency",
            "scaling.target.cpu_percent",
            "scaling.target.gpu_percent",
            "rollout.strategy",
            "rollout.percent",
            "rollout.wait_minutes",
            "rollout.limits.*.at_most",
            "capture.percent",
            "capture.retention_days",
            "monitor.limits.*.at_most",
        )
    ),
    # Entry options: none yet on SageMaker; those of other platforms are theirs to read.
    *(
        f"{owner}.options{name}"
        for owner in (
            "datasets.*",
            "models.*",
            "models.*.prepare",
            "models.*.train",
            "models.*.evaluate",
            "serving.*",
        )
        for name in (
            "",
            ".sagemaker",
            ".azure-ml",
            ".vertex",
            ".mlflow-aws",
            ".kubeflow-azure",
        )
    ),
)

# Shortest patterns first: what is refused as a whole is not refused again leaf by leaf.
REFUSED: tuple[Refusal, ...] = (
    Refusal("features", "there is no feature store yet", "join the columns in prepare.py"),
    Refusal(
        "delivery",
        "deliveries are not generated yet",
        "run `mlops-iac up -s ENVIRONMENT --yes` in a workflow of your own",
    ),
    Refusal("secrets", "no step or endpoint takes secrets yet", "leave it out"),
    Refusal("security.identity", "SageMaker authenticates callers by IAM", "leave it out"),
    Refusal("alerts.*.webhook", "alerts go to e-mail only yet", "write `email:`"),
    *(
        Refusal(f"existing.{name}", what, instead)
        for name, what, instead in (
            ("storage", "the stack makes its own buckets", "use its data as `source: s3://…`"),
            ("image_registry", "images come from AWS yet", "write `runtime: {image: …}`"),
            ("tracking", "there is no tracking server", "leave it out"),
            ("workspace", "SageMaker needs no workspace", "leave it out"),
            ("cluster", "SageMaker needs no cluster", "leave it out"),
            ("orchestrator", "SageMaker Pipelines run the steps", "leave it out"),
            ("model_registry", "the stack makes its own registry", "use `promote_from`"),
            ("domain", "endpoints have no domain of their own", "leave it out"),
            ("certificate", "endpoints have no certificate of their own", "leave it out"),
            ("code_connection", "deliveries are not generated yet", "leave it out"),
        )
    ),
    Refusal("datasets.*.stream", "streams are not made yet", "write to `s3://` and use that"),
    Refusal("datasets.*.partition", "partitions are not read yet", "use `time` and `window_days`"),
    Refusal("datasets.*.sensitive", "bias is not measured yet", "report it in evaluate.py"),
    Refusal("datasets.*.retention_days", "datasets are not expired", "set a rule on the bucket"),
    Refusal("models.*.features", "there is no feature store yet", "join them in prepare.py"),
    Refusal("models.*.registry.keep_versions", "versions are never deleted", "leave it out"),
    Refusal("models.*.registry.card", "model cards are not published yet", "leave it out"),
    Refusal("models.*.evaluate.explain", "no step explains yet", "explain in evaluate.py"),
    Refusal(
        "models.*.evaluate.gates.*.no_worse_than",
        "the version in service cannot be compared with yet",
        "write a number, `at_least` or `at_most`",
    ),
    *(
        Refusal(
            f"{owner}.env.*.secret",
            "what a job or container has in its environment can be read by whoever describes it",
            "read the secret in the script",
        )
        for owner in (
            "models.*",
            "models.*.prepare",
            "models.*.train",
            "models.*.evaluate",
            "serving.*",
        )
    ),
    *(
        Refusal(f"serving.*.compute.{name}", "only batch serving has this", "leave it out")
        for name in ("count", "spot")
    ),
    Refusal("serving.*.runtime", "an entry serves with its model's runtime", "set it there"),
    Refusal("serving.*.callers", "endpoints grant no one yet", "allow them by IAM"),
    Refusal("serving.*.monitor.schedule", "drift is not computed yet", "leave it out"),
    Refusal("serving.*.monitor.outcomes", "outcomes are not joined yet", "leave it out"),
    *(
        Refusal(
            f"serving.*.{owner}.limits.*.at_least",
            "of latency and errors only more is worse",
            "write `at_most`",
        )
        for owner in ("rollout", "monitor")
    ),
    *(
        Refusal(f"serving.*.{name}", "only real-time serving is planned yet", "leave it out")
        for name in ("input", "output", "schedule", "new_data", "device", "fleet")
    ),
    *(
        Refusal(
            f"{owner}.runtime.dockerfile",
            "images are not built yet",
            "build and push it, and write `runtime: {image: …}`",
        )
        for owner in ("models.*", "models.*.prepare", "models.*.train", "models.*.evaluate")
    ),
    Refusal("tracking", "experiments are SageMaker's own", "write `native`", ("native",)),
    Refusal("orchestration", "SageMaker Pipelines run the steps", "write `native`", ("native",)),
    Refusal("approval", "deployments wait for nobody yet", "write `none`", ("none",)),
    Refusal(
        "serving.*.mode",
        "only real-time serving is planned yet",
        "write `mode: real-time`",
        ("real-time",),
    ),
)


def matches(path: str, pattern: str) -> bool:
    """Whether `path` has the form of `pattern`, key by key; `**` at its end is any number."""
    parts, forms = split(path), pattern.split(".")
    if forms[-1] == "**":
        forms = forms[:-1]
        parts = parts[: len(forms)]
    return len(parts) == len(forms) and all(
        form in ("*", part) for part, form in zip(parts, forms, strict=True)
    )


# One list of paths, more or less, stands in every environment of every blueprint.
_PATHS = 4096


@lru_cache(maxsize=_PATHS)
def is_planned(path: str) -> bool:
    """Whether a plan reads the leaf at `path`."""
    return bool(_find(_planned(), split(path)))


@lru_cache(maxsize=_PATHS)
def holds_planned(path: str) -> bool:
    """Whether a plan reads leaves below `path`, so that nothing in it means nothing, and no more."""
    return bool(_below(_planned(), split(path)))


def refusal(path: str, value: Any) -> tuple[str, Refusal] | None:
    """What refuses the leaf at `path` with this value, and the path of the whole it refuses."""
    for ancestor, rule, whole in _refusals(path):
        if not (whole and value in rule.unless):
            return ancestor, rule
    return None


def refuses(path: str, value: Any) -> str | None:
    """Why the field at `path` is refused with this value; None where it, or some of it, is planned."""
    found = refusal(path, value)
    if found is not None:
        return found[1].reason
    wholes = accumulate(split(path), join)
    planned = holds_planned(path) or any(is_planned(whole) for whole in wholes)
    return None if planned else "not supported yet"


@lru_cache(maxsize=_PATHS)
def _refusals(path: str) -> list[tuple[str, Refusal, bool]]:
    """What may refuse `path` or a whole that it is in, and whether it is that whole."""
    parts = split(path)
    ancestors = accumulate(parts, join, initial="")
    return [
        (ancestor, rule, length == len(parts))
        for length, ancestor in enumerate(ancestors)
        if length
        for rule in _find(_refused(), parts[:length])
    ]


# A tree of keys: there are many patterns, and every leaf of every environment is looked up.
_END = ""


def _tree(patterns: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for pattern, item in patterns:
        node = root
        for key in pattern.split("."):
            node = node.setdefault(key, {})
        node.setdefault(_END, []).append(item)
    return root


@lru_cache(maxsize=1)
def _planned() -> dict[str, Any]:
    return _tree((pattern, pattern) for pattern in PLANNED)


@lru_cache(maxsize=1)
def _refused() -> dict[str, Any]:
    return _tree((rule.pattern, rule) for rule in REFUSED)


def _find(node: dict[str, Any], parts: Sequence[str]) -> list[Any]:
    if not parts:
        return list(node.get(_END, ()))
    found = list(node["**"][_END]) if "**" in node else []
    for key in dict.fromkeys((parts[0], "*")):
        if key in node:
            found += _find(node[key], parts[1:])
    return found


def _below(node: dict[str, Any], parts: Sequence[str]) -> bool:
    if not parts:
        return any(key != _END for key in node)
    return any(_below(node[key], parts[1:]) for key in {parts[0], "*"} if key in node)
