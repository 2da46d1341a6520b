"""What a sweep searches. Source: azure-ai-docs, `how-to-tune-hyperparameters`, "Define the search space"."""

from __future__ import annotations

import math
from typing import Any

from mlops_iac.pipeline.steps import Range


def search_space(found: Range) -> dict[str, Any]:
    """The distribution of one hyperparameter.

    Of a logarithmic one the logarithm is searched: `loguniform` is not for every strategy.
    """
    if found.kind == "values":
        return {"type": "choice", "values": list(found.values)}
    low, high = float(found.low), float(found.high)
    if found.scale == "logarithmic":
        return {"type": "uniform", "min_value": math.log(low), "max_value": math.log(high)}
    if found.kind == "integer":
        return {"type": "quniform", "min_value": int(low), "max_value": int(high), "q": 1}
    return {"type": "uniform", "min_value": low, "max_value": high}


def set_from(found: Range) -> str:
    """How a training makes its value of what it is given (`clouds.azure.runtime.job`)."""
    if found.kind == "values":
        return "text"
    whole = found.kind == "integer"
    if found.scale == "logarithmic":
        return "integer-logarithm" if whole else "logarithm"
    return "integer" if whole else "text"
