"""Runs a platform's component calls as the compiled program would, to capture what they make."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pulumi

from mlops_iac.clouds.base import (
    Archive,
    ComponentCall,
    Construct,
    Definition,
    Ref,
    Setting,
    UserFile,
)
from mlops_iac.graph.model import Resource
from tests.components.capture import capture


def captured(
    calls: list[ComponentCall],
    *,
    stack: str,
    project: str,
    settings: dict[str, Any] | None = None,
) -> list[Resource]:
    """What the calls register. `settings` are values for settings that are optional."""

    def program() -> None:
        made: dict[str, Any] = {}
        for call in calls:
            module, _, name = call.component.partition(":")
            component = getattr(import_module(module), name)
            arguments = getattr(import_module(module), f"{name}Args")
            options = pulumi.ResourceOptions(depends_on=[made[each] for each in call.depends_on])
            given = {key: value_of(value, made) for key, value in call.args.items()}
            made[call.variable] = component(call.name, arguments(**given), options)
            for attribute in call.exports.values():
                attribute_of(made[call.variable], attribute)

    def value_of(value: Any, made: dict[str, Any]) -> Any:
        match value:
            case Setting():
                return (settings or {}).get(value.path, value.value)
            case Ref():
                return attribute_of(made[value.variable], value.attribute)
            case Definition():
                return value.content
            case Archive():
                return pulumi.StringAsset("packed code")
            case UserFile():
                assert Path(value.path).is_file(), value.path
                return pulumi.FileAsset(value.path)
            case Construct():
                module, _, name = value.cls.partition(":")
                inner = {key: value_of(each, made) for key, each in value.args.items()}
                return getattr(import_module(module), name)(**inner)
            case dict():
                return {key: value_of(each, made) for key, each in value.items()}
            case list() | tuple():
                return [value_of(each, made) for each in value]
            case _:
                return value

    return capture(program, project=project, stack=stack)


def attribute_of(component: Any, attribute: str) -> Any:
    return eval(f"component.{attribute}" if attribute else "component", {"component": component})
