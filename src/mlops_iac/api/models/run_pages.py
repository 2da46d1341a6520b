"""The pages that runs have left: of pipelines and monitorings, on this machine or in a stack's cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.places import session
from mlops_iac.api.deploy.served_versions import credentials, model_output, output_name
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import UsageError
from mlops_iac.records import Record
from mlops_iac.runtime import contract
from mlops_iac.workfolder import write_durably

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject

What = Literal["run", "monitor"]
_FILES = {"run": contract.PAGE_FILE, "monitor": contract.MONITOR_PAGE}
_HERE = {
    "run": f"runs/*/{contract.PAGE_FILE}",
    "monitor": f"runs/*/*/{contract.PROCESSING_REPORT}/{contract.MONITOR_PAGE}",
}


class LeftPage(Record):
    """A page: of which run, the file here, and where it lies in the cloud (empty for a local run)."""

    run: str
    path: Path
    place: str = ""


def page(project: BaseProject, what: What, stack: str, run: str | None) -> LeftPage:
    """The page of the last run that left any, or of the one whose id begins with `run`.

    That of a stack in a real cloud is fetched to `.mlops-iac/pages/`. Raises UsageError where there is
    none, naming those that there are; AuthenticationError where nobody may ask.
    """
    found = _here(project, what) if project.emulates(stack) else None
    if found is None:
        return _fetched(project, what, stack, run or "")
    fit = [each for each in found if each.run.startswith(run or "")]
    if fit and (run is None or len(fit) == 1):
        return fit[-1]
    names = listed([each.run for each in reversed(found)], most=5)
    said = f"no {what} {run} has left a page here" if run else f"no {what} has left a page here"
    if fit:
        said = f"{len(fit)} begin with {run}"
    command = "run" if what == "run" else "monitor run"
    raise UsageError(
        said, hint=f"there is: {names}" if names else f"`mlops-iac {command}` leaves one"
    )


def _here(project: BaseProject, what: What) -> list[LeftPage]:
    """Those on this machine, by the time that their runs began, which is in their names."""
    found = [
        LeftPage(path.relative_to(project.emulator).parts[1], path)
        for path in project.emulator.glob(_HERE[what])
    ]
    return sorted(found, key=lambda each: each.run)


def _fetched(project: BaseProject, what: What, stack: str, run: str) -> LeftPage:
    with Deployment(project, stack) as deployment:
        outputs = deployment.outputs()
    with credentials(project, stack, "its runs", what="for the pages of its runs"):
        there = session(project, stack)
        for pipeline in _pipelines(project, what, stack, outputs):
            found = project.operations.page(pipeline, there, _FILES[what], run)
            if found is not None:
                path = project.work / "pages" / stack / f"{found.run}-{_FILES[what]}"
                path.parent.mkdir(parents=True, exist_ok=True)
                write_durably(path, found.content)
                return LeftPage(found.run, path, found.place)
    said = f"no {what} {run} of {stack} has" if run else f"no {what} of {stack} has"
    raise UsageError(
        f"{said} left a page in its cloud",
        hint="a run writes one when it evaluates; what pipelines write expires with their artifacts",
    )


def _pipelines(
    project: BaseProject, what: What, stack: str, outputs: Mapping[str, Any]
) -> Iterator[str]:
    blueprint = project.resolve(stack).blueprint
    if what == "run":
        names = (
            model_output(outputs, blueprint.moved, each, "pipeline") for each in blueprint.models
        )
    else:
        of = (f"{output_name(each)}_monitoring_pipeline" for each in blueprint.serving)
        names = (str(outputs.get(each) or "") for each in of)
    yield from filter(None, names)
