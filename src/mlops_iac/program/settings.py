"""The typed reader of stack configuration that generated programs import.

Keys are blueprint paths (`serving.api.scaling.max`) in the project's own namespace.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pulumi
from pulumi.runtime.config import is_config_secret

T = TypeVar("T")


class SettingError(pulumi.RunError):
    """A configuration value is missing or is not of its type.

    A `pulumi.RunError`, so that the plain CLI prints the sentence and no traceback. None of the
    package's own errors: it goes along when components are ejected.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


class Settings:
    """Configuration of the running stack, by blueprint path; definitions beside the program.

    `folder` is the program's own (`Path(__file__).parent`). Every method raises `SettingError`
    for a value that is missing (but the `optional_` ones) or cannot be read as its type.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._config = pulumi.Config()
        self._stack = pulumi.get_stack()
        self._absent: set[str] = set()

    @property
    def absent(self) -> frozenset[str]:
        """Optional keys that were asked for and are not set."""
        return frozenset(self._absent)

    def text(self, key: str) -> str:
        """A text."""
        return self._required(key, _text, "a text")

    def integer(self, key: str) -> int:
        """A whole number."""
        return self._required(key, _integer, "a whole number")

    def number(self, key: str) -> float:
        """A finite number."""
        return self._required(key, _number, "a number")

    def flag(self, key: str) -> bool:
        """`true` or `false`."""
        return self._required(key, _flag, "true or false")

    def items(self, key: str) -> list[Any]:
        """A list."""
        return self._required(key, _items, "a list")

    def mapping(self, key: str) -> dict[str, Any]:
        """A mapping with text keys."""
        return self._required(key, _mapping, "a mapping")

    def choice(self, key: str, *allowed: T) -> T:
        """One of `allowed` texts."""
        return self._required(key, _choice(allowed), f"one of {', '.join(map(str, allowed))}")

    def optional_text(self, key: str) -> str | None:
        """A text, or None where it is not set."""
        return self._optional(key, _text, "a text")

    def optional_integer(self, key: str) -> int | None:
        """A whole number, or None where it is not set."""
        return self._optional(key, _integer, "a whole number")

    def optional_number(self, key: str) -> float | None:
        """A finite number, or None where it is not set."""
        return self._optional(key, _number, "a number")

    def optional_flag(self, key: str) -> bool | None:
        """`true` or `false`, or None where it is not set."""
        return self._optional(key, _flag, "true or false")

    def optional_items(self, key: str) -> list[Any] | None:
        """A list, or None where it is not set."""
        return self._optional(key, _items, "a list")

    def optional_mapping(self, key: str) -> dict[str, Any] | None:
        """A mapping with text keys, or None where it is not set."""
        return self._optional(key, _mapping, "a mapping")

    def optional_choice(self, key: str, *allowed: T) -> T | None:
        """One of `allowed` texts, or None where it is not set."""
        return self._optional(key, _choice(allowed), f"one of {', '.join(map(str, allowed))}")

    def definition(self, path: str) -> str:
        """The text of a definition file beside the program."""
        try:
            return (self._folder / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SettingError(
                f"{path} is missing beside the program of stack {self._stack!r}",
                hint="run `mlops-iac compile`, which writes it",
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise SettingError(f"{path} cannot be read: {reason}") from None

    def _required(self, key: str, read: Callable[[str], T], kind: str) -> T:
        value = self._optional(key, read, kind)
        if value is None:
            raise SettingError(
                f"{key} is not set in Pulumi.{self._stack}.yaml; it must be {kind}",
                hint=f"pulumi config set {key} VALUE",
            )
        return value

    def _optional(self, key: str, read: Callable[[str], T], kind: str) -> T | None:
        raw = self._config.get(key)
        if raw is None:
            self._absent.add(key)
            return None
        try:
            return read(raw)
        except ValueError:
            secret = is_config_secret(f"{self._config.name}:{key}")
            shown = "its secret value" if secret else f"{raw[:60]!r}"
            raise SettingError(
                f"{key} in Pulumi.{self._stack}.yaml must be {kind}, not {shown}",
                hint=f"pulumi config set {key} VALUE",
            ) from None


def encode(value: Any) -> str:
    """A setting as the text in which Pulumi hands configuration to a program.

    Texts stay, booleans are `true` and `false`, lists and mappings become JSON.
    """
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(raw: str) -> str:
    return raw


def _integer(raw: str) -> int:
    value = _number(raw)
    if not value.is_integer():
        raise ValueError(raw)
    return int(raw) if raw.strip().lstrip("+-").isdigit() else int(value)


def _number(raw: str) -> float:
    value = float(raw)
    if not math.isfinite(value) or "_" in raw:
        raise ValueError(raw)
    return value


def _flag(raw: str) -> bool:
    return raw == "true" if raw in ("true", "false") else bool(_refuse(raw))


def _refuse(raw: str) -> Any:
    raise ValueError(raw)


def _items(raw: str) -> list[Any]:
    value = json.loads(raw)
    return value if isinstance(value, list) else _refuse(raw)


def _mapping(raw: str) -> dict[str, Any]:
    value = json.loads(raw)
    return value if isinstance(value, dict) else _refuse(raw)


def _choice(allowed: tuple[T, ...]) -> Callable[[str], T]:
    def read(raw: str) -> T:
        for option in allowed:
            if option == raw:
                return option
        raise ValueError(raw)

    return read
