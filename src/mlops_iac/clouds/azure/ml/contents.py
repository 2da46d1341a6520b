"""What a stack holds that no plan knows of: registered versions, and blobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_iac.blueprint.words import listed as in_words
from mlops_iac.clouds.azure.errors import failure
from mlops_iac.clouds.azure.ml.registry import API, listed
from mlops_iac.clouds.azure.session import Session
from mlops_iac.clouds.azure.types import MODEL_CONTAINER, STORAGE_ACCOUNT
from mlops_iac.errors import AuthenticationError, MlopsError
from mlops_iac.graph.model import Resource


def holdings(resources: Iterable[Resource], session: Session) -> Iterator[str]:
    """A line for each registry that holds versions, and for each storage account: both go with all in them."""
    for each in resources:
        name = each.id.rpartition("/")[2]
        if each.type == STORAGE_ACCOUNT:
            yield f"the storage account {name} goes with every blob in it"
        if each.type == MODEL_CONTAINER and (count := sum(1 for _ in listed(session.arm, each.id))):
            many = "version goes" if count == 1 else "versions go"
            yield f"{count:,} registered model {many} with {name}"


def delete_versions(resources: Iterable[Resource], session: Session) -> int:
    """Delete all versions in the containers of a stack; how many there were.

    Raises MlopsError where one could not be, AuthenticationError where nobody is signed in.
    """
    found = 0
    groups = [each.id for each in resources if each.type == MODEL_CONTAINER]
    try:
        for group in groups:
            for item in listed(session.arm, group):
                session.arm.call("DELETE", str(item["id"]), API)
                found += 1
    except Exception as error:
        failed = failure(error)
        if failed is None:
            raise
        names = in_words([each.rpartition("/")[2] for each in groups])
        raise (AuthenticationError if failed == "signed out" else MlopsError)(
            f"the model versions in {names} cannot be deleted, and the rest was left: {error}",
            hint="sign in as who is AzureML Data Scientist in the workspace",
        ) from None
    return found
