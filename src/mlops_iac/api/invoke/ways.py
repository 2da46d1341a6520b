"""How what serves on this machine is called, and what the rest lacks until it serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_iac.api.invoke.invocation import of_dataset
from mlops_iac.api.status.status import status
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.errors import UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.deploy.deployments import Deployment


class Way(Record):
    """A serving entry: what it is `missing`, or the `url` that takes POSTs of a JSON `body`."""

    entry: str
    missing: str
    url: str = ""
    body: str = ""


def ways(deployment: Deployment) -> Iterator[Way]:
    """The entries of the stack `local` that answer calls, whether they do yet or not."""
    project = deployment.project
    serving = project.resolve(LOCAL).blueprint.serving
    most = project.operations.largest_body
    for entry in status(deployment).entries:
        if not isinstance(serving.get(entry.name), RealTime):
            continue
        if not entry.serves:
            yield Way(entry.name, entry.missing or "it is not deployed")
            continue
        try:
            body = of_dataset(project, LOCAL, entry.name, "", None, 1, most).body.decode()
        except UsageError:
            body = '{"instances": [{"COLUMN": "VALUE"}]}'
        yield Way(entry.name, "", project.emulated_cloud.url(LOCAL, entry.endpoint), body)
