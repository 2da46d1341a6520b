"""The smallest blueprints of a team, to lay a template under."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from mlops_iac.blueprint.fields import ANY_KEY, AnyType, ListType
from mlops_iac.blueprint.templates.limits import LOCAL, Limit
from mlops_iac.clouds import registry
from mlops_iac.templates.linting.limits import allows
from mlops_iac.templates.linting.paths import kinds_at, scalars
from mlops_iac.templates.linting.samples import texts

SOURCE = "template-under-test"
OWNER = "team@acme.com"
"""No placeholder, which a limit would not take."""
_SAMPLES: dict[str, Any] = {
    "owner": OWNER,
    "account": registry.forms(registry.DEFAULT).example_account,
    "budget": {"monthly_usd": 500},
    "alerts": {"team": {"email": OWNER}},
    "description": "A sample.",
    "limits": {"latency_p99_ms": {"at_most": 500}},
    "monitor": {"limits": {"latency_p99_ms": {"at_most": 500}}},
    "capture": {"percent": 100, "retention_days": 30},
    "rollout": {"strategy": "canary", "percent": 10, "wait_minutes": 10},
    "target": {"requests_per_minute": 200},
    "scaling": {"min": 1, "max": 2},
    "retrain": {"schedule": "0 3 * * *"},
    "tags": {"team": "sample"},
}
_PLAIN: dict[type, Any] = {int: 1, float: 1, bool: True}
_NAMES = {"datasets": "samples", "models": "sample", "serving": "api"}
_WHAT = {
    "datasets": {"samples": {"source": "data/samples.csv", "format": "csv", "target": "late"}},
    "models": {
        "sample": {
            "code": "workload/",
            "runtime": {"framework": "scikit-learn", "version": 1.9},
            "train": {"script": "train.py"},
        }
    },
    "serving": {"api": {"mode": "real-time"}},
}
FILES: Mapping[str, str] = {
    "data/samples.csv": "distance_km,late\n1.0,0\n2.0,1\n",
    "workload/train.py": "",
    "workload/predict.py": "def load(folder): ...\ndef predict(model, rows): ...\n",
    "workload/requirements.txt": "",
}
"""What that blueprint names, beside it."""


def bare(platform: str, parameters: Mapping[str, Any], environments: Iterable[str] = ()) -> Any:
    """A blueprint that says only where it is deployed, with two environments and those named."""
    forms = registry.forms(platform)
    found: dict[str, Any] = {
        "blueprint": 1,
        "name": "sample",
        "platform": platform,
        "region": forms.example_region,
        "extends": [{"template": SOURCE, "parameters": dict(parameters)}],
        "environments": {"dev": {}, "prod": {"account": forms.example_account}},
    }
    for name in environments:
        found["environments"].setdefault(name, {})
    return found


def head(platform: str, extends: str) -> dict[str, str]:
    """What a team says at least, as YAML by key."""
    least = bare(platform, {})
    return {key: extends if key == "extends" else json.dumps(value) for key, value in least.items()}


def what() -> dict[str, str]:
    """A dataset, a model, and a service, as YAML by key."""
    return {key: json.dumps(value) for key, value in _WHAT.items()}


def small(blueprint: Mapping[str, Any]) -> dict[str, Any]:
    """The same with a dataset, a model, and a service."""
    return {**deepcopy(dict(blueprint)), **deepcopy(_WHAT)}


def comply(blueprint: Mapping[str, Any], limits: Iterable[Limit]) -> dict[str, Any]:
    """The blueprint with what the limits ask of a team: what is required, in range, not forbidden."""
    made = deepcopy(dict(blueprint))
    limits = list(limits)
    for limit in limits:
        if limit.of_names:
            continue
        keys = _named(limit, made)
        if keys is None or limit.fixed is not None:
            continue
        if limit.environment == LOCAL:
            continue
        top: Any = made
        if limit.environment not in ("", ANY_KEY):
            top = made["environments"].setdefault(limit.environment, {})
        _apply(top, keys, limit)
    _complete_scaling(made)
    for names in (limit.spec.keys for limit in limits if limit.of_names):
        allowed = {name: it for name, it in made["environments"].items() if name in names}
        made["environments"] = allowed or {names[0]: {"account": _SAMPLES["account"]}}
    return made


def _complete_scaling(made: dict[str, Any]) -> None:
    """What a limit asks of one number of `scaling` needs the others beside it."""
    own = made.get("serving", {}).get("api", {})
    layers = [made, *made["environments"].values()]
    found = [
        scaling
        for each in layers
        if isinstance(scaling := each.get("serving", {}).get("api", {}).get("scaling"), dict)
    ]
    if "mode" not in own or not found:
        return
    whole = own.setdefault("scaling", {})
    whole.setdefault("min", 1)
    most = max(each.get(key, 1) for each in found for key in ("min", "max"))
    whole.setdefault("max", most)
    whole.setdefault("target", {"requests_per_minute": 200})


def write_files(folder: Path, files: Mapping[str, str] | None = None) -> None:
    """Write what the blueprint names into a folder; `files` are more, or other ones."""
    for name, content in {**FILES, **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def text_of(blueprint: Mapping[str, Any]) -> str:
    """It as YAML, which JSON is."""
    return json.dumps(blueprint, indent=1, ensure_ascii=False)


def _named(limit: Limit, blueprint: Mapping[str, Any]) -> list[str] | None:
    """The path with this blueprint's names for `*`; None where there is none."""
    found: list[str] = []
    for key in limit.keys:
        if key == ANY_KEY:
            key = _NAMES.get(found[-1], "") if found else ""
            if len(found) != 1 or not key or found[0] not in blueprint:
                return None
        found.append(key)
    return found


def _apply(top: dict[str, Any], keys: list[str], limit: Limit) -> None:
    spec = limit.spec
    *above, last = keys
    node = top
    if spec.forbidden:
        for key in above:
            node = node.get(key, {})
            if not isinstance(node, dict):
                return
        node.pop(last, None)
        return
    if spec.keys:
        value: Any = {spec.keys[0]: next(iter(_SAMPLES.get(last, {"": "sample"}).values()))}
        if not spec.required and last not in node:
            return
    elif spec.one_of:
        value = spec.one_of[0]
    elif spec.at_least is not None or (spec.required and spec.at_most is not None):
        bound = spec.at_least if spec.at_least is not None else spec.at_most
        value = int(bound) if bound is not None and bound == int(bound) else bound
    elif (fitting := _of_form(limit)) is not None:
        value = fitting
    elif spec.required:
        value = _SAMPLES.get(".".join(keys), _SAMPLES.get(last)) or _of_type(limit.keys)
    else:
        return
    for key in above:
        node = node.setdefault(key, {})
        if not isinstance(node, dict):
            return
    if spec.keys and last in node:
        node[last] = {key: node[last][key] for key in spec.keys if key in node[last]} or value
    elif last not in node or not allows(limit, node[last]):
        node[last] = value


def _of_form(limit: Limit) -> Any:
    """A value of the form that a limit asks for; None where it asks for none, or none is known."""
    kinds = kinds_at(limit.keys)
    plain = [scalar for kind in kinds for scalar in scalars(kind)]
    takes_text = any(isinstance(kind, AnyType) for kind in kinds) or any(
        str in kind.types for kind in plain
    )
    if limit.spec.pattern is None or not takes_text:
        return None
    fitting = next(texts(limit.spec.pattern), None)
    is_list = any(isinstance(kind, ListType) for kind in kinds)
    return [fitting] if fitting is not None and is_list else fitting


def _of_type(keys: Iterable[str]) -> Any:
    """Any value of a field's type."""
    for kind in kinds_at(list(keys)):
        if isinstance(kind, ListType):
            return ["sample"]
        for plain in scalars(kind):
            return plain.allowed[0] if plain.allowed else _PLAIN.get(plain.types[0], "sample")
        if not isinstance(kind, AnyType):
            return {}
    return "sample"
