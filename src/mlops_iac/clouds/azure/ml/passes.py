"""The runs of the program that a deployment takes.

What bytes go to is there before they are spoken of. Traffic names deployments that exist, and none is
deleted that has any; the endpoint exists before both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.clouds.azure.ml.blocks.datasets import uploads
from mlops_iac.clouds.azure.ml.modes.real_time import live_output, live_setting
from mlops_iac.clouds.azure.ml.scope import Scope
from mlops_iac.clouds.azure.ml.uploads import standing, upload
from mlops_iac.clouds.base import Pass

_NOTHING = "{}"


def passes(scope: Scope, outputs: Callable[[], Mapping[str, Any]]) -> Sequence[Pass]:
    """None where nothing has to be uploaded and nothing serves.

    All but the last leave what `outputs` say that serves as it is.
    """
    entries, files = scope.entries(RealTime), uploads(scope)
    # Asking for outputs takes the real engine a second.
    known = outputs() if entries or files else {}
    left = standing(scope, known) if files else {}
    live = {live_setting(name): known.get(live_output(name)) or _NOTHING for name in entries}
    found: list[Pass] = []
    before = (upload(scope),) if left else ()
    if left:
        found.append(Pass("base", "what datasets lie in", {**left, **live}))
    if entries:
        found += (
            Pass("slots", "make what is new beside what serves", live, before=before),
            Pass("traffic", "let it answer, and delete what it takes over from"),
        )
    elif left:
        found.append(Pass("assets", "datasets", before=before))
    return found
