"""What Azure ML support refuses of one environment, each with its place and what would work."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_iac.blueprint.torn import judged
from mlops_iac.blueprint.words import suggestion
from mlops_iac.clouds.azure import catalogue
from mlops_iac.clouds.azure.forms import FORMS
from mlops_iac.clouds.azure.ml.decisions import DECISIONS
from mlops_iac.clouds.azure.ml.scope import OWN_TAGS, Scope
from mlops_iac.clouds.azure.ml.stack import MODES, PARTS
from mlops_iac.clouds.parts import checked, collected
from mlops_iac.errors import Diagnostic

_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# Source: azure-docs, resource-manager, `tag-resources`, "Limitations".
_TAG_CHARACTERS = re.compile(r"[<>%&\\?/]")
_MOST_TAGS = 50
_STAND_INS = {"region": FORMS.example_region}


def check(scope: Scope) -> list[Diagnostic]:
    """Everything at once."""
    return checked(scope, DECISIONS, MODES, (_alone, _STAND_INS), (_between, _STAND_INS))


def _alone(scope: Scope) -> Iterator[Diagnostic]:
    """Values that are wrong whatever else is written."""
    return judged(
        _region(scope),
        _account(scope),
        _tags(scope),
        collected([part.values for part in PARTS], scope),
    )


def _between(scope: Scope) -> Iterator[Diagnostic]:
    """What does not fit together."""
    return collected([part.check for part in PARTS], scope)


def _region(scope: Scope) -> Iterator[Diagnostic]:
    region = scope.blueprint.region
    known = catalogue.regions()
    if region in known:
        return
    near = suggestion(region, known)
    unlikely = bool(near) or not re.fullmatch(FORMS.region, region)
    yield scope.wrong(
        "region",
        f"Azure has no region '{region}' with Azure ML"
        if unlikely
        else f"'{region}' is no region of Azure ML that is known here",
        near or "write it as `az account list-locations` does, e.g. westeurope",
        code="unknown-region",
        severity="error" if unlikely else "warning",
    )


def _account(scope: Scope) -> Iterator[Diagnostic]:
    account = scope.blueprint.account
    if account is not None and not re.fullmatch(_GUID, account):
        yield scope.wrong(
            "account",
            f"'{account}' is no subscription",
            "write the subscription's id, which `az account show` tells",
            code="wrong-account",
        )


def _tags(scope: Scope) -> Iterator[Diagnostic]:
    tags = scope.blueprint.tags
    for key in tags:
        if key.lower() in OWN_TAGS or key.lower().startswith(("microsoft", "azure", "windows")):
            yield scope.wrong(
                f"tags.{key}", f"the tag '{key}' is not yours to set", "rename it", code="wrong-tag"
            )
        elif _TAG_CHARACTERS.search(key):
            yield scope.wrong(
                f"tags.{key}",
                f"Azure takes no tag '{key}'",
                r"leave <, >, %, &, \, ? and / out",
                code="wrong-tag",
            )
    if len(tags) + len(OWN_TAGS) > _MOST_TAGS:
        yield scope.wrong(
            "tags",
            f"Azure takes {_MOST_TAGS} tags, {len(OWN_TAGS)} of which are the stack's own",
            "leave some out",
            code="wrong-tag",
            at_key=True,
        )
