"""What a stack holds that no plan knows of: blobs in its containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_iac.clouds.azure.errors import failure
from mlops_iac.clouds.azure.session import Session
from mlops_iac.clouds.azure.types import CONTAINER, STORAGE_ACCOUNT
from mlops_iac.graph.model import Resource

_MOST = 1000  # blobs of a container that are counted


def holdings(resources: Iterable[Resource], session: Session) -> Iterator[str]:
    """A line for each storage account, and for each container that holds something.

    Who may delete an account need not be one who may look into it: what is in it is left out then.
    """
    for each in resources:
        if each.type == STORAGE_ACCOUNT:
            yield f"the storage account {each.id.rpartition('/')[2]} goes with every blob in it"
        elif each.type == CONTAINER:
            account, name = (str(each.inputs[key]) for key in ("accountName", "containerName"))
            try:
                count = len(session.blobs(account).list(name, most=_MOST))
            except Exception as error:
                if failure(error) not in ("gone", "refused"):
                    raise
                continue
            if count:
                many = f"more than {_MOST - 1:,}" if count == _MOST else f"{count:,}"
                blobs = "blob" if count == 1 else "blobs"
                yield f"the container {name} of {account} holds {many} {blobs}; all go with it"
