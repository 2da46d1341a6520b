"""No secret stands in an environment variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_iac.clouds import registry
from mlops_iac.graph.redact import is_secret_name
from mlops_iac.policy.context import Context, named_values
from mlops_iac.policy.model import Rule, Violation
from mlops_iac.values import Secret, Unknown

_MAPPINGS = ("environment", "variables", "environmentvariables")


def check(context: Context) -> Iterator[Violation]:
    """Find variables whose name says secret and whose value is written out."""
    # As registered: what the program calls a secret is one, and is readable there all the same.
    for resource in context.graph:
        names = {
            name
            for key, value in named_values(resource.inputs)
            if key.lower() in _MAPPINGS and isinstance(opened := _opened(value), Mapping)
            for name, inner in opened.items()
            if is_secret_name(str(name)) and _is_written(inner)
        }
        if names:
            message = f"{', '.join(sorted(names))} can be read by whoever describes it"
            yield Violation(message, resource)


def _opened(value: object) -> object:
    return value.value if isinstance(value, Secret) else value


def _is_written(value: object) -> bool:
    if isinstance(value, Mapping | Unknown) or value in (None, ""):
        return False
    # What only says where a secret is.
    stores = (prefix for cloud in registry.clouds() for prefix in cloud.forms.secret_stores)
    return not (isinstance(value, str) and value.startswith(("${", "/", *stores)))


RULE = Rule(
    id="plain-secrets",
    title="No secret in an environment variable",
    severity="mandatory",
    why="Whoever may describe a job, a model or a function sees its environment.",
    remediation="keep it in Secrets Manager and read it in the script",
    source="Lambda developer guide, https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-encryption",
    check=check,
)
