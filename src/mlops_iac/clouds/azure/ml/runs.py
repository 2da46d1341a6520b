"""Runs of pipelines: jobs of a workspace.

Source: azure-rest-api-specs, Microsoft.MachineLearningServices 2025-12-01, Jobs_List and the enum JobStatus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from mlops_iac.clouds.azure.ml.registry import API
from mlops_iac.clouds.operations import LastRun
from mlops_iac.clouds.questions import Questions

# Every other state is that of a job that goes on.
_ENDED = {
    "Completed": "registered",
    "Failed": "failed",
    "Canceled": "stopped",
    "NotResponding": "failed",
}
# A list is in no order that is promised; a workspace keeps its jobs forever.
_LOOKED_AT = 500


def last_run(pipeline: str, questions: Questions) -> LastRun | None:
    """The last job of a pipeline, which is the id of a version of a component; those of others count, too."""
    workspace, _, name = _container(pipeline).partition("/components/")

    def asked() -> Sequence[Mapping[str, Any]]:
        jobs = questions.session.arm.listed(f"{workspace}/jobs", API, jobType="Pipeline")
        return [
            job
            for job in islice(jobs, _LOOKED_AT)
            if _container(str(job["properties"].get("componentId") or "")).lower()
            == _container(pipeline).lower()
        ]

    found = questions.ask(f"the runs of {name}", asked)
    if not found:
        return None
    last = max(found, key=_created)
    status = _ENDED.get(str(last["properties"].get("status")), "running")
    return LastRun(str(last["name"]), status, _created(last)[:19] + "Z")


def _container(id_: str) -> str:
    """A component's id without its version."""
    return id_.partition("/versions/")[0]


def _created(job: Mapping[str, Any]) -> str:
    """When a job was made; ARM tells it in UTC."""
    return str((job.get("systemData") or {}).get("createdAt") or "")
