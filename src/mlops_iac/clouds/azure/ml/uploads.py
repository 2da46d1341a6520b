"""Bytes of datasets, which no resource uploads: put into the stack's account before a version says they are there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.azure.components._contents import content_of, files_of
from mlops_iac.clouds.azure.errors import failure
from mlops_iac.clouds.azure.ml.blocks.datasets import OUTPUT, uploaded_setting, uploads
from mlops_iac.clouds.azure.ml.scope import Scope
from mlops_iac.clouds.azure.session import Session
from mlops_iac.clouds.base import Before
from mlops_iac.errors import AuthenticationError, MlopsError

# `components.data_store.DATASETS` and `components.datasets.NOTHING`, which import Pulumi.
CONTAINER, NOTHING = "datasets", "nothing"
_HINT = (
    "it takes the role `Storage Blob Data Contributor` on the account; one that was just given works"
    " after some minutes"
)


def standing(scope: Scope, outputs: Mapping[str, Any]) -> dict[str, str]:
    """Settings that leave each dataset at the content that it has; none where all are as their files."""
    uris = outputs.get(OUTPUT) or {}
    known = {
        name: str(uris[name]).rstrip("/").rpartition("/")[2] if name in uris else NOTHING
        for name in uploads(scope)
    }
    if all(known[name] == content_of(files) for name, files in _files(scope).items()):
        return {}
    return {uploaded_setting(name): content for name, content in known.items()}


def upload(scope: Scope) -> Before:
    """Puts what is not there yet. Raises MlopsError where it may not, AuthenticationError for nobody."""

    def do(session: Session, outputs: Mapping[str, Any]) -> None:
        account = str(outputs["storage_account"])
        try:
            for name, files in _files(scope).items():
                _put(session, account, f"{name}/{content_of(files)}/", files)
        except Exception as error:
            failed = failure(error)
            if failed is None:
                raise
            raise (AuthenticationError if failed == "signed out" else MlopsError)(
                f"datasets cannot be uploaded to the storage account {account}: {error}", hint=_HINT
            ) from None

    names = listed(sorted(uploads(scope)))
    return Before(f"uploads what is new of {names}", do)


def _put(session: Session, account: str, prefix: str, files: Mapping[str, Path]) -> None:
    blobs = session.blobs(account)
    there = blobs.list(CONTAINER, prefix)
    for below, path in files.items():
        name = f"{prefix}{below}"
        if there.get(name) != path.stat().st_size:
            blobs.put(CONTAINER, name, path)


def _files(scope: Scope) -> dict[str, dict[str, Path]]:
    return {name: files_of(Path(file.path)) for name, file in uploads(scope).items()}
