"""The runs of the program that a deployment takes: what bytes go to is there before they are spoken of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlops_iac.clouds.azure.ml.blocks.datasets import uploads
from mlops_iac.clouds.azure.ml.scope import Scope
from mlops_iac.clouds.azure.ml.uploads import standing, upload
from mlops_iac.clouds.base import Pass


def passes(scope: Scope, outputs: Callable[[], Mapping[str, Any]]) -> Sequence[Pass]:
    """None where nothing has to be uploaded."""
    # Asking for outputs takes the real engine a second.
    left = standing(scope, outputs()) if uploads(scope) else {}
    if not left:
        return ()
    return (
        Pass("base", "what datasets lie in", left),
        Pass("assets", "datasets", before=(upload(scope),)),
    )
