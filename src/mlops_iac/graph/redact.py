"""Nothing secret is shown, logged or written: by marker, by schema, and by name.

A secret becomes one fixed placeholder. Not a digest: an unkeyed one of a short secret can be
guessed, and a keyed one would change the lock file from machine to machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from mlops_iac.values import UNKNOWN, Secret, Unknown, Value

REDACTED: Final = "[secret]"

# (type token, property path) → whether the provider's schema calls it sensitive.
IsSensitive = Callable[[str, str], bool]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "credential",
        "credentials",
        "apikey",
        "pwd",
    ]
)
# Before `key` in camelCase: those that open something. `kmsKey`, `partitionKey`, `publicKey` do not.
_OPENING = frozenset(
    ["access", "secret", "private", "api", "signing", "auth", "account", "license", "encryption"]
)
# A name that ends so says something about a secret, and is none: `secretArn`, `tokenType`.
_ABOUT = frozenset(
    [
        "arn",
        "arns",
        "id",
        "ids",
        "name",
        "names",
        "path",
        "type",
        "version",
        "versions",
        "length",
        "count",
        "policy",
        "endpoint",
        "url",
        "uri",
        "enabled",
        "expiration",
        "validity",
        "duration",
        "ttl",
        "days",
        "hours",
        "minutes",
        "seconds",
        "units",
        "rotation",
        "required",
        "provider",
        "lambda",
        "template",
        "reference",
        "ref",
        "from",
    ]
)
_CREDENTIALS_IN_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)")
_VALUES = frozenset({"value", "Value"})
_PLAIN = frozenset({bool, int, float, type(None)})
_NOT_SECRET_VALUE = re.compile(r"(?:arn:[\w-]+:|\$\{[^}]*\}\Z)")


@lru_cache(maxsize=4096)  # a stack has few names, many times
def is_secret_name(name: str) -> bool:
    """Whether a property, tag or environment variable of this name holds a secret.

    `DB_PASSWORD`, `HF_TOKEN`, `API_KEY`, `secretString`, `privateKey` do; `kmsKeyId`, `secretArn`,
    `MAX_TOKENS`, `partitionKey` do not. IAM condition keys (`aws:TokenIssueTime`) never do.
    """
    if ":" in name or "/" in name:
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    if any(word in _SECRET_WORDS for word in words):
        return True
    if words[-1] != "key" or len(words) == 1:
        return False
    # As an environment variable any `*_KEY` is taken for a secret.
    return (name.isupper() and words[-2] != "kms") or words[-2] in _OPENING


def redact(value: Value, *, names: Collection[str] = ()) -> Any:
    """`value` without secrets, markers gone: `Secret`s and what is named like one are `[secret]`.

    `names` are further keys, at any depth, that hold secrets. JSON inside texts and credentials in
    URLs are looked through. Unknowns and assets stay as they are.
    """
    return _redacted(value, names)


def _redacted(value: Value, names: Collection[str]) -> Any:
    # The commonest first: a stack has thousands of them.
    kind = type(value)
    if kind is str:
        return _redact_text(value, names)
    if kind is dict:
        return {
            key: _redact_entry(value, key, item, names)
            if key in _VALUES or key in names or is_secret_name(key)
            else _redacted(item, names)
            for key, item in value.items()
        }
    if kind in _PLAIN:
        return value
    match value:
        case str():
            return _redact_text(value, names)
        case int() | float():
            return value
        case Mapping():
            return {key: _redact_entry(value, key, item, names) for key, item in value.items()}
        case list() | tuple():
            return [_redacted(item, names) for item in value]
        case Secret():
            return REDACTED
        case _:
            return value


def redact_properties(
    type_: str,
    properties: Mapping[str, Value],
    *,
    secret_outputs: Collection[str] = (),
    sensitive: IsSensitive | None = None,
) -> dict[str, Any]:
    """A resource's inputs or outputs without secrets, as `redact` and by the provider's schema.

    `secret_outputs` are its `additionalSecretOutputs`; `sensitive` answers for schema paths without
    indexes (`masterUserOptions.masterUserPassword`).
    """
    clean = redact(dict(properties), names=secret_outputs)
    if sensitive is not None:
        clean = _by_schema(clean, "", lambda path: sensitive(type_, path))
    assert isinstance(clean, dict)
    return clean


def redact_text(text: str, secrets: Collection[str]) -> str:
    """A message without the given secret values; for errors that quote what they were handed."""
    for secret in sorted((s for s in secrets if len(s) > 3), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return _CREDENTIALS_IN_URL.sub(rf"\1{REDACTED}\2", text)


def parse_document(text: str) -> Any:
    """The JSON object or list that a text holds, None where it holds none."""
    return _parsed(text) if _looks_like_one(text) else None


def read_document(text: str) -> Any:
    """As `parse_document`, the same object for the same text: not to be changed.

    A text is looked through, then written, and often stands in several stacks.
    """
    return _parsed_once(text) if _looks_like_one(text) else None


def _looks_like_one(text: str) -> bool:
    if text[:1].isalnum():  # nearly all texts
        return False
    stripped = text.strip()
    return len(stripped) > 1 and stripped[0] + stripped[-1] in ("{}", "[]")


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text.strip())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


_parsed_once = lru_cache(maxsize=128)(_parsed)


def _redact_text(text: str, names: Collection[str]) -> str:
    document = read_document(text)
    if document is not None:
        clean = _redacted(document, names)
        return text if clean == document else json.dumps(clean, ensure_ascii=False)
    return _CREDENTIALS_IN_URL.sub(rf"\1{REDACTED}\2", text) if "://" in text else text


def _redact_entry(
    mapping: Mapping[str, Value], key: str, item: Value, names: Collection[str]
) -> Any:
    if key in names or is_secret_name(key):
        return _hidden(item)
    # A list of {name, value} is how containers and builds write environment variables.
    if key in _VALUES:
        label = mapping.get("name", mapping.get("Name", mapping.get("key", mapping.get("Key"))))
        if isinstance(label, str) and is_secret_name(label):
            return _hidden(item)
    return _redacted(item, names)


def _hidden(item: Value) -> Any:
    """What is named like a secret; a reference to one, a switch or nothing at all may be seen."""
    match item:
        case None | bool() | Unknown():
            return item
        case str() if not item or _NOT_SECRET_VALUE.match(item):
            return item
        case Mapping() if set(item) <= {"valueFrom", "ValueFrom", "secretArn", "arn"}:
            return redact(item)
        case _:
            return REDACTED


def _by_schema(value: Any, path: str, sensitive: Callable[[str], bool]) -> Any:
    if path and value is not None and value is not UNKNOWN and sensitive(path):
        return REDACTED
    match value:
        case dict():
            return {
                key: _by_schema(item, f"{path}.{key}" if path else key, sensitive)
                for key, item in value.items()
            }
        case list():
            return [_by_schema(item, path, sensitive) for item in value]
        case _:
            return value
