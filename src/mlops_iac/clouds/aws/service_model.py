"""What AWS allows in a request, without an SDK: `data/limits.txt`, written by `tools/service_limits.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any


class Shape:
    """A shape as botocore has it (`emulators.aws.validation`), except for what is required."""

    required_members: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name.partition(".")[2]
        # A part without any limit refers to nothing.
        self.metadata: Mapping[str, Any] = json.loads(_lines()[name]) if name else {}
        self.type_name: str = self.metadata.get("type", "")
        self.enum: list[str] = self.metadata.get("enum", [])

    @cached_property
    def members(self) -> Mapping[str, Shape]:
        """Of a structure."""
        return _Members(self.metadata["members"])

    @property
    def member(self) -> Shape:
        """Of a list."""
        return _shape(self.metadata["member"])

    @property
    def key(self) -> Shape:
        """Of a map."""
        return _shape(self.metadata["key"])

    @property
    def value(self) -> Shape:
        """Of a map."""
        return _shape(self.metadata["value"])


class _Members(dict[str, Any]):
    """Names of members and of their shapes, which are made as they are asked for."""

    def __getitem__(self, name: str) -> Shape:
        return _shape(super().__getitem__(name))


def request(operation: str) -> Shape:
    """What an operation takes: `request("sagemaker.CreateModel")`."""
    return _shape(json.loads(_lines()[operation]))


@cache
def _shape(name: str) -> Shape:
    return Shape(name)


@cache
def _lines() -> dict[str, str]:
    # Not by importlib.resources: see `catalogue`. What is not asked for is not parsed.
    text = (Path(__file__).parent / "data" / "limits.txt").read_text(encoding="utf-8")
    return dict(line.split("\t", 1) for line in text.splitlines())
