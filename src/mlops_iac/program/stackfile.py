"""`Pulumi.<environment>.yaml`, which is not ours alone.

`pulumi stack init` and `pulumi config set` rewrite it, and people put their own keys there. Ours
are the project's namespace and the provider keys that we wrote ourselves; everything else stays,
with its comments. Scalars are quoted, so that an account number keeps its leading zero. Files are
compared by their content, because Pulumi's own writing of the same is laid out differently.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from io import StringIO
from typing import Any

import yaml

from mlops_iac.blueprint.scalars import NO_TEXT
from mlops_iac.errors import UsageError
from mlops_iac.values import Secret

_HEADER = (
    "# Written by `mlops-iac compile`: what differs between environments. Your own keys are kept.\n"
)


def name(environment: str) -> str:
    """The file's name for a stack."""
    return f"Pulumi.{environment}.yaml"


def read(text: str, file: str) -> dict[str, Any]:
    """The configuration in a stack file: full key → text as written, list, mapping, or Secret.

    Encrypted values come as `Secret` with their ciphertext mapping inside. Raises UsageError for
    what is no stack file.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"{file}{line}: this is not YAML") from None
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise UsageError(f"{file} must be a mapping with `config:`")
    for key, node in root.value:
        if key.value == "config":
            if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
                return {}
            if not isinstance(node, yaml.MappingNode):
                raise UsageError(
                    f"{file}, line {node.start_mark.line + 1}: config must be a mapping"
                )
            return {item.value: _value(inner) for item, inner in node.value}
    return {}


def foreign(content: bytes, project: str, ours: Collection[str]) -> dict[str, Any]:
    """What a stack file says beside our own keys, the project's and `ours`; key → value.

    A file that is none is one value. Keys outside of `config` are those of Pulumi itself.
    """
    try:
        settings = yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError, ValueError):
        return {"a file that is no YAML": content}
    if not isinstance(settings, dict):
        return {"a file that is no mapping": content} if settings is not None else {}
    inner = settings.get("config")
    config = inner if isinstance(inner, dict) else {"config": inner} if inner else {}
    mine = (f"{project}:",)
    return {
        **{str(key): value for key, value in settings.items() if key != "config"},
        **{
            str(key): value
            for key, value in config.items()
            if not str(key).startswith(mine) and key not in ours
        },
    }


def differences(
    existing: Mapping[str, Any],
    ours: Mapping[str, Any],
    *,
    project: str,
    optional: Collection[str],
    written_before: Collection[str],
) -> dict[str, Any]:
    """Keys to set, with their value, and keys to remove, with None."""
    changes: dict[str, Any] = {
        key: value
        for key, value in ours.items()
        if key not in existing or not _equal(existing[key], value)
    }
    for key in existing:
        mine = key.startswith(f"{project}:") or key in written_before
        if mine and key not in ours and key not in optional:
            changes[key] = None
    return changes


def fresh(ours: Mapping[str, Any]) -> str:
    """A new stack file."""
    lines = ["config:"] if ours else ["config: {}"]
    for key, value in ours.items():
        lines += _entry(key, value, 1)
    return _HEADER + "\n".join(lines) + "\n"


def edited(text: str, changes: Mapping[str, Any]) -> str:
    """The stack file with `changes` made; comments, order and other keys stay."""
    from ruamel.yaml import YAML  # only needed where a file is edited

    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 10_000
    editor.indent(mapping=2, sequence=4, offset=2)
    document = editor.load(text)
    if document is None:
        return fresh({key: value for key, value in changes.items() if value is not None})
    if document.get("config") is None:
        document["config"] = {}
    config = document["config"]
    for key, value in changes.items():
        if value is None:
            config.pop(key, None)
        else:
            config[key] = _quoted(value)
    stream = StringIO()
    editor.dump(document, stream)
    return stream.getvalue()


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_document(node)
    finally:
        loader.dispose()
    if isinstance(value, dict) and set(value) == {"secure"}:
        return Secret(value)
    return value


def _equal(existing: Any, value: Any) -> bool:
    if isinstance(existing, Secret):
        return False
    if isinstance(existing, str):
        return existing == scalar(value)
    return json.dumps(existing, sort_keys=True, default=str) == json.dumps(value, sort_keys=True)


def scalar(value: Any) -> str:
    """A scalar as Pulumi stores it; lists and mappings as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _entry(key: str, value: Any, depth: int) -> list[str]:
    margin = "  " * depth
    head = f"{margin}{_key(key)}:"
    match value:
        case Mapping() if value:
            lines = [head]
            for name_, item in value.items():
                lines += _nested(name_, item, depth + 1)
            return lines
        case list() if value and not any(isinstance(item, list | Mapping) for item in value):
            return [
                head,
                *(f"{margin}  - {json.dumps(item, ensure_ascii=False)}" for item in value),
            ]
        case list() | Mapping():
            return [f"{head} {json.dumps(value, ensure_ascii=False)}"]  # JSON is YAML
        case _:
            return [f"{head} {json.dumps(scalar(value), ensure_ascii=False)}"]


def _nested(key: str, value: Any, depth: int) -> list[str]:
    """Inside a mapping numbers stay numbers: only texts are quoted."""
    if isinstance(value, list | Mapping):
        return _entry(key, value, depth)
    return [f"{'  ' * depth}{_key(key)}: {json.dumps(value, ensure_ascii=False)}"]


def _key(key: str) -> str:
    plain = key.replace("-", "").replace("_", "").replace(".", "").replace(":", "").replace("/", "")
    safe = plain.isalnum() and plain.isascii() and key[0].isalpha()
    reserved = key.lower() in NO_TEXT
    return key if safe and not reserved else json.dumps(key, ensure_ascii=False)


def _quoted(value: Any) -> Any:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    match value:
        case Mapping():
            return {key: _inner(item) for key, item in value.items()}
        case list():
            return [_inner(item) for item in value]
        case _:
            return DoubleQuotedScalarString(scalar(value))


def _inner(value: Any) -> Any:
    if isinstance(value, str | list | Mapping):
        return _quoted(value)
    return value
