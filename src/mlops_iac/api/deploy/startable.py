"""What lets clients of the emulated cloud start pipelines: which entry of which blueprint each is.

A file for each deployed pipeline, below `pipelines/` of the emulator's folder, under its name there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.served_versions import model_output
from mlops_iac.records import Record
from mlops_iac.workfolder import write_durably

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject


class Startable(Record):
    """The `entry` that a pipeline is of, in a `stack` of the `blueprint` beside the work folder.

    `monitors` is whether the pipeline measures what serves, and is not the entry's own.
    """

    blueprint: str
    stack: str
    entry: str
    monitors: bool = False


def make_startable(project: BaseProject, stack: str, outputs: Mapping[str, Any]) -> None:
    """Write down what the pipelines of an emulated stack are."""
    blueprint = project.resolve(stack).blueprint
    folder = project.emulator / "pipelines"
    for entry, kind in product(
        (*blueprint.models, *blueprint.serving), ("pipeline", "monitoring_pipeline")
    ):
        pipeline = model_output(outputs, blueprint.moved, entry, kind)
        # Where pipelines are told by ids, which name no file, none starts by itself.
        if pipeline and "/" not in pipeline:
            found = Startable(project.loaded.path.name, stack, entry, kind != "pipeline")
            folder.mkdir(parents=True, exist_ok=True)
            write_durably(folder / f"{pipeline}.json", json.dumps(vars(found)).encode())


def read(file: Path) -> Startable:
    """What was written of a pipeline. Raises OSError, ValueError, TypeError."""
    return Startable(**json.loads(file.read_bytes()))
