"""Nothing secret is shown, logged or written: by marker, by schema, and by name.

What the program or the provider's schema calls a secret becomes `[secret]`; what merely has the
name of one `[looks secret]`, so that nobody takes a path or a mode for lost. Not a digest: one of a
short secret can be guessed. Only a lock needs to tell two hidden values apart (`comparable.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from mlops_iac.clouds import registry
from mlops_iac.values import UNKNOWN, Secret, Unknown, Value

REDACTED: Final = "[secret]"
BY_NAME: Final = "[looks secret]"

# (a value that must not be seen, `REDACTED` or `BY_NAME`) → what stands in its place.
Hide = Callable[[Value, str], str]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset((
    "password", "passwd", "passphrase", "secret", "token", "credential", "credentials",
    "apikey", "pwd",
))  # fmt: skip
# Before `key` in camelCase: those that open something. `partitionKey`, `publicKey` do not.
_OPENING = frozenset(
    ["access", "secret", "private", "api", "signing", "auth", "account", "license", "encryption"]
)
# A name that ends so says something about a secret, and is none: `secretArn`, `tokenType`.
_ABOUT = frozenset((
    "arn", "arns", "id", "ids", "name", "names", "path", "type", "version", "versions",
    "length", "count", "policy", "endpoint", "url", "uri", "enabled", "expiration",
    "validity", "duration", "ttl", "days", "hours", "minutes", "seconds", "units",
    "rotation", "required", "provider", "lambda", "template", "reference", "ref", "from",
    "file", "files", "dir", "directory", "folder", "column", "columns", "field", "fields",
    "size", "limit", "mode", "algorithm", "parallelism",
))  # fmt: skip
# Where a dynamic resource carries its provider: a pickle, which may hold anything, and of which a
# lock says no more than the class.
_PROVIDER = "__provider"
_CLASS = re.compile(r"[\w.]+:[\w.]+")
_CREDENTIALS_IN_URL = re.compile(r"(://[^/\s:@]*:)([^/\s@]+)(@)")
_VALUES = frozenset({"value", "Value"})
_PLAIN = frozenset({bool, int, float, type(None)})
_HIDDEN = re.compile(r"\[(looks secret|secret)(?: [a-z]+:[0-9a-f]+)?\]")


@lru_cache(maxsize=4096)  # a stack has few names, many times
def is_secret_name(name: str) -> bool:
    """Whether a property, tag or environment variable of this name holds a secret.

    `DB_PASSWORD`, `HF_TOKEN`, `API_KEY`, `secretString`, `privateKey` do; `secretId`,
    `MAX_TOKENS`, `partitionKey` do not. Names of several parts (`a:TokenIssueTime`) never do.
    """
    if ":" in name or "/" in name:
        return False
    if name == _PROVIDER:
        return True
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    if any(word in _SECRET_WORDS for word in words):
        return True
    if words[-1] != "key" or len(words) == 1:
        return False
    # As an environment variable any `*_KEY` is taken for a secret.
    return (name.isupper() and words[-2] != "kms") or words[-2] in _OPENING


def is_hidden(value: Value) -> bool:
    """Whether a value is nothing but what stands for a hidden one, with or without a digest."""
    return isinstance(value, str) and _HIDDEN.fullmatch(value) is not None


def without_digests(text: Any) -> Any:
    """A text in which what stands for hidden values says no more; anything else as it is."""
    if not isinstance(text, str):
        return text
    return _HIDDEN.sub(r"[\1]", text) if "secret " in text else text


def redact(value: Value, *, hide: Hide | None = None) -> Any:
    """`value` without secrets, markers gone: `Secret`s are `[secret]`, the rest `[looks secret]`.

    JSON inside texts and credentials in URLs are looked through. Unknowns and assets stay as they
    are. `hide` says what stands for a value; without it, the placeholder alone.
    """
    return _redacted(value, _How((), hide or _placeholder))


def redact_at(path: str, value: Value) -> Any:
    """`value` without secrets, those included that only the last name of its path tells.

    A path may be one of properties, of a blueprint or of the configuration (`PROJECT:a.b`).
    """
    name = path.rsplit(":", 1)[-1].rsplit(".", 1)[-1].split("[", 1)[0]
    return redact({name: value})[name]


@dataclass(frozen=True, slots=True)
class _How:
    """`names` are further keys, at any depth, that hold secrets."""

    names: Collection[str]
    hide: Hide

    def hidden(self, item: Value, placeholder: str) -> str:
        """What stands for a value; a second look changes nothing."""
        return item if is_hidden(item) else self.hide(item, placeholder)


def _placeholder(_: Value, placeholder: str) -> str:
    return placeholder


def _redacted(value: Value, how: _How) -> Any:
    # The commonest first: a stack has thousands of them.
    kind = type(value)
    if kind is str:
        return _redact_text(value, how)
    if kind is dict:
        return {
            key: _redact_entry(value, key, item, how)
            if key in _VALUES or key in how.names or is_secret_name(key)
            else _redacted(item, how)
            for key, item in value.items()
        }
    if kind in _PLAIN:
        return value
    match value:
        case str():
            return _redact_text(value, how)
        case Mapping():
            return _redacted(dict(value), how)
        case list() | tuple():
            return [_redacted(item, how) for item in value]
        case Secret():
            return REDACTED
        case _:
            return value


def redact_properties(
    type_: str,
    properties: Mapping[str, Value],
    *,
    secret_outputs: Collection[str] = (),
    hide: Hide | None = None,
) -> dict[str, Any]:
    """A resource's inputs or outputs without secrets: by the provider's schema, then as `redact`.

    `secret_outputs` are its `additionalSecretOutputs`; the schema's paths come from the provider's
    facts, without indexes (`masterUserOptions.masterUserPassword`).
    """
    how = _How(secret_outputs, hide or _placeholder)
    clean: Any = dict(properties)
    if known := _sensitive_paths(type_):
        clean = _by_schema(clean, "", known, how)
    clean = _redacted(clean, how)
    assert isinstance(clean, dict)
    return clean


@lru_cache(maxsize=1024)
def _sensitive_paths(type_: str) -> frozenset[str]:
    cloud = registry.cloud_of(type_)
    return cloud.knowledge.sensitive(type_) if cloud else frozenset()


def redact_text(text: str, secrets: Collection[str]) -> str:
    """A message without the given secret values; for errors that quote what they were handed."""
    for secret in sorted((s for s in secrets if len(s) > 3), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return _CREDENTIALS_IN_URL.sub(rf"\1{REDACTED}\3", text)


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


def _redact_text(text: str, how: _How) -> str:
    document = read_document(text)
    if document is not None:
        clean = _redacted(document, how)
        return text if clean == document else json.dumps(clean, ensure_ascii=False)
    if "://" not in text:
        return text
    return _CREDENTIALS_IN_URL.sub(
        lambda found: f"{found[1]}{how.hidden(found[2], REDACTED)}{found[3]}", text
    )


def _redact_entry(mapping: Mapping[str, Value], key: str, item: Value, how: _How) -> Any:
    if key == _PROVIDER:
        return item if isinstance(item, str) and _CLASS.fullmatch(item) else REDACTED
    if key in how.names:  # marked by the program, as a `Secret` is
        return _hidden(item, REDACTED, _How(how.names, _placeholder))
    if is_secret_name(key):
        return _hidden(item, BY_NAME, how)
    # A list of {name, value} is how containers and builds write environment variables.
    if key in _VALUES:
        label = mapping.get("name", mapping.get("Name", mapping.get("key", mapping.get("Key"))))
        if isinstance(label, str) and is_secret_name(label):
            return _hidden(item, BY_NAME, how)
    return _redacted(item, how)


def _hidden(item: Value, placeholder: str, how: _How) -> Any:
    """What is named like a secret; a reference to one, a switch or nothing at all may be seen."""
    match item:
        case None | bool() | Unknown():
            return item
        case Secret():
            return REDACTED
        case str() if not item or _not_secret().match(item):
            return item
        case Mapping() if set(item) <= {"valueFrom", "ValueFrom", "secretArn", "arn"}:
            return _redacted(item, how)
        case _:
            return how.hidden(item, placeholder)


@cache
def _not_secret() -> re.Pattern[str]:
    """What only says where a thing is: a reference of a cloud's, or a capture's; or a switch."""
    forms = [each.forms.reference for each in registry.clouds()]
    return re.compile("|".join((*forms, r"\$\{[^}]*\}\Z", r"(?i:true|false)\Z")))


def _by_schema(value: Any, path: str, sensitive: Collection[str], how: _How) -> Any:
    if path in sensitive and value is not None and value is not UNKNOWN:
        return REDACTED if isinstance(value, Secret) else how.hidden(value, REDACTED)
    match value:
        case Mapping():
            return {
                key: _by_schema(item, f"{path}.{key}" if path else key, sensitive, how)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_by_schema(item, path, sensitive, how) for item in value]
        case _:
            return value
