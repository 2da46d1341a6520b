"""What SageMaker support decides about every field of the language: planned, or refused and why.

Each part of a stack decides about its own; here is what none does. A written field that nobody
decided about is refused too, so that a new field of the language is loud until someone does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import Any

from mlops_iac.blueprint.words import join, listed, split
from mlops_iac.clouds.aws.sagemaker.modes import MODES
from mlops_iac.clouds.aws.sagemaker.parts import Mode, Part, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import STEPS
from mlops_iac.clouds.aws.sagemaker.stack import PARTS
from mlops_iac.clouds.base import Refusal

_MODES = tuple(mode.name for mode in MODES)
_STEPS = prefixed("models.*.", " ".join(STEPS))
_OTHER_MODE = Refusal(
    "serving.*.mode",
    f"only {listed(_MODES, 'and')} serving is planned yet",
    f"write {listed([f'`mode: {name}`' for name in _MODES], 'or')}",
    _MODES,
)

# What no part of a stack decides about. Options of other platforms are theirs to read, and entries
# have none on SageMaker yet.
_PLANNED = (
    *prefixed(
        "",
        "blueprint name description extends owner tags.* platform region timezone account deploy_as "
        "protect moved.* overrides.** state.backend state.secrets_provider tracking orchestration "
        "approval options.*",
    ),
    *prefixed("exceptions.*.", "at reason until"),
    *(
        each
        for owner in ("datasets.*", "models.*", *_STEPS, "serving.*")
        for each in (f"{owner}.options", f"{owner}.options.*")
    ),
)

_REFUSED: tuple[Refusal, ...] = (
    Refusal("features", "there is no feature store yet", "join the columns in prepare.py"),
    Refusal(
        "delivery",
        "deliveries are not generated yet",
        "run `mlops-iac up -s ENVIRONMENT --yes` in a workflow of your own",
    ),
    Refusal("secrets", "no step or endpoint takes secrets yet", "leave it out"),
    Refusal("security.identity", "SageMaker authenticates callers by IAM", "leave it out"),
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
    *(
        Refusal(
            f"{owner}.env.*.secret",
            "what a job or container has in its environment can be read by whoever describes it",
            "read the secret in the script",
        )
        for owner in ("models.*", *_STEPS, "serving.*")
    ),
    Refusal("tracking", "experiments are SageMaker's own", "write `native`", ("native",)),
    Refusal("orchestration", "SageMaker Pipelines run the steps", "write `native`", ("native",)),
    Refusal("approval", "deployments wait for nobody yet", "write `none`", ("none",)),
    _OTHER_MODE,
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


_ELSE = "not supported yet"

# One list of paths, more or less, stands in every environment of every blueprint.
_PATHS = 4096


@lru_cache(maxsize=_PATHS)
def is_planned(path: str, mode: str) -> bool:
    """Whether a plan reads the leaf at `path`; `mode` is that of the entry it stands in, or `""`."""
    return bool(_find(_planned(mode), split(path)))


@lru_cache(maxsize=_PATHS)
def holds_planned(path: str, mode: str) -> bool:
    """Whether a plan reads leaves below `path`, so that nothing in it means nothing, and no more."""
    return bool(_below(_planned(mode), split(path)))


def refusal(path: str, value: Any, mode: str) -> tuple[str, Refusal] | None:
    """What refuses the leaf at `path` with this value, and the path of the whole it refuses."""
    for ancestor, rule, whole in _refusals(path, mode):
        if not (whole and value in rule.unless):
            return ancestor, rule
    return None


def refuses(path: str, value: Any) -> str | None:
    """Why the field at `path` is refused with this value; None where a mode plans it, or some of it."""
    found = [_refuses(path, value, mode) for mode in _MODES]
    if None in found:
        return None
    # What no planned mode has, another one has.
    otherwise = _OTHER_MODE.reason if path.startswith("serving.") else _ELSE
    return next((each for each in found if each != _ELSE), otherwise)


def _refuses(path: str, value: Any, mode: str) -> str | None:
    found = refusal(path, value, mode)
    if found is not None:
        return found[1].reason
    wholes = accumulate(split(path), join)
    if holds_planned(path, mode) or any(is_planned(whole, mode) for whole in wholes):
        return None
    return _ELSE


@lru_cache(maxsize=_PATHS)
def _refusals(path: str, mode: str) -> list[tuple[str, Refusal, bool]]:
    """What may refuse `path` or a whole that it is in, and whether it is that whole."""
    parts = split(path)
    ancestors = accumulate(parts, join, initial="")
    return [
        (ancestor, rule, length == len(parts))
        for length, ancestor in enumerate(ancestors)
        if length
        for rule in _find(_refused(mode), parts[:length])
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


def _of(mode: str) -> list[Part]:
    """Who decides about the entries of a mode, and about what stands in no entry."""
    return [part for part in PARTS if not isinstance(part, Mode) or part.name == mode]


def planned(mode: str) -> list[str]:
    """Patterns of what is planned: in entries of a mode, and outside of entries."""
    return [*_PLANNED, *(pattern for part in _of(mode) for pattern in part.planned)]


def refused(mode: str) -> list[Refusal]:
    """What is refused, likewise."""
    return [*_REFUSED, *(rule for part in _of(mode) for rule in part.refused)]


@cache
def _planned(mode: str) -> dict[str, Any]:
    return _tree((pattern, pattern) for pattern in planned(mode))


@cache
def _refused(mode: str) -> dict[str, Any]:
    return _tree((rule.pattern, rule) for rule in refused(mode))


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
