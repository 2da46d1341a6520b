"""What a platform gives a run on this machine: where things lie, and the services it emulates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from mlops_iac.records import Record


class Store(Protocol):
    """Where jobs read and write. URIs are the store's own; `/` and a name lead below one."""

    def download(self, uri: str, folder: Path) -> None:
        """Everything below a URI into `folder`, or the one file that it is, under its own name.

        Raises UsageError where nothing is there, ResourceFailed where it cannot be read.
        """

    def digest(self, uri: str) -> str:
        """Changes with any file below a URI, or with the one that it is. Raises ResourceFailed."""

    def upload(self, path: Path, uri: str) -> None:
        """One file to one URI, or a folder's files below it. Raises ResourceFailed."""

    def exists(self, uri: str) -> bool:
        """Whether anything is at a URI or below it. Raises ResourceFailed."""

    def seal(self, source: str, target: str) -> str:
        """Copy a file below a URI where no job writes; the copy's URI. Raises ResourceFailed."""


class Version(Record):
    """A registered version: its name in the registry, and its status there."""

    name: str
    approval: str


class Backend(Protocol):
    """One model's lifecycle as it is deployed.

    `artifacts` is the URI below which jobs write, `code` that of the code's archive, `datasets`
    those of the datasets' folders. `environment` is given to every job. `framework` is the
    requirement that the training's image already meets (`scikit-learn==1.9.*`), or empty. `tracks` is whether steps keep
    what they find in MLflow.
    """

    store: Store
    artifacts: str
    code: str
    datasets: Mapping[str, str]
    environment: Mapping[str, str]
    framework: str
    tracks: bool

    def current(self, version: str, otherwise: str) -> Mapping[str, str]:
        """`uri` of the archive, and name (`version`: `churn/3`) of the version in service.

        `version` is its number, or `newest`: the newest approved one. Before the first they are
        `otherwise` and `none`.

        Raises ResourceFailed.
        """

    def register(
        self, model: str, report: str | None, examples: str | None, given: Mapping[str, str]
    ) -> Version:
        """Register the sealed `model`, with its sealed `report` and `examples`; once, however often asked.

        The version says which hyperparameters its run was `given` that the blueprint does not have.
        Raises ResourceFailed.
        """
