"""The resource types that are emulated, by token. A service's module is imported when asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from mlops_iac.emulators.aws.resources.base import Handler

# Module of the token → modules here.
_MODULES: dict[str, tuple[str, ...]] = {
    "s3": ("s3", "s3_settings"),
    "iam": ("iam",),
    "kms": ("kms",),
    "sagemaker": ("sagemaker",),
    "appautoscaling": ("scaling",),
    "budgets": ("scaling",),
    "cloudwatch": ("cloudwatch", "events"),
    "scheduler": ("events",),
    "sns": ("messaging",),
    "sqs": ("messaging",),
    "lambda": ("functions",),
    "cloudtrail": ("cloudtrail",),
    "glue": ("glue",),
    "ec2": ("ec2", "ec2_access"),
    "vpc": ("ec2_access",),
}


@cache
def handler_for(type_: str) -> Handler | None:
    """The handler of a type token, or None where the type is not emulated."""
    parts = type_.split(":")
    if len(parts) != 3 or parts[0] != "aws":
        return None
    for module in _MODULES.get(parts[1].split("/")[0], ()):
        for handler in _handlers(module):
            if handler.type == type_:
                return handler
    return None


def supported_types() -> list[str]:
    """Every emulated type, sorted."""
    modules = sorted({name for names in _MODULES.values() for name in names})
    return sorted(handler.type for module in modules for handler in _handlers(module))


def _handlers(module: str) -> list[Handler]:
    found: list[Handler] = import_module(f"{__name__}.{module}").HANDLERS
    return found
