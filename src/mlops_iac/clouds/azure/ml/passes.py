"""The runs of the program that a deployment takes: deployments first, then the calls to them.

Traffic names deployments that exist, and none is deleted that has any; the endpoint exists before both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.clouds.azure.ml.modes.real_time import live_output, live_setting
from mlops_iac.clouds.azure.ml.scope import Scope
from mlops_iac.clouds.base import Pass

_NOTHING = "{}"


def passes(scope: Scope, outputs: Callable[[], Mapping[str, Any]]) -> Sequence[Pass]:
    """Two where anything serves; the first leaves what `outputs` say that serves as it is."""
    entries = scope.entries(RealTime)
    if not entries:
        return ()
    known = outputs()
    live = {live_setting(name): known.get(live_output(name)) or _NOTHING for name in entries}
    return (
        Pass("slots", "make what is new beside what serves", live),
        Pass("traffic", "let it answer, and delete what it takes over from"),
    )
