"""Blobs of an emulated account: what is put is read back over HTTP, what the service refuses is refused so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from mlops_iac.clouds.azure.blobs import Blobs
from mlops_iac.clouds.azure.errors import Silent, failure
from mlops_iac.clouds.azure.ml import uploads
from mlops_iac.emulators.azure.arm import BLOBS, ArmError
from mlops_iac.emulators.azure.blobs import BlobStore
from mlops_iac.emulators.azure.process import Handler, application
from mlops_iac.emulators.azure.store import ArmStore
from mlops_iac.errors import MlopsError

GROUP = "/subscriptions/s/resourceGroups/g"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account1"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/datasets"


@pytest.fixture
def store() -> ArmStore:
    store = ArmStore()
    sku = {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "location": "westeurope"}
    for id_, body in ((GROUP, {"location": "westeurope"}), (ACCOUNT, sku), (CONTAINER, {})):
        store.put(id_, body)
    return store


@pytest.fixture
def url(store: ArmStore, tmp_path: Path) -> Iterator[str]:
    class Served(Handler):
        """A class of its own: what it serves stands in it."""

    Served.application = staticmethod(application({}, store, BlobStore(tmp_path / "blobs", store)))
    listener = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listener.server_address[1]}{BLOBS}account1"
    listener.shutdown()
    listener.server_close()


@pytest.fixture
def blobs(url: str) -> Blobs:
    return Blobs(url, lambda: "token", 5)


def test_what_is_put_is_read_back_and_listed(blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(b"a,b\n1,2\n")
    blobs.put("datasets", "iris/1/<rows> & more.csv", file)
    blobs.put("datasets", "iris/1/ä?.csv", b"")
    blobs.put("datasets", "iris/2/rows.csv", b"old")
    blobs.put("datasets", "iris/2/rows.csv", b"new!")
    assert blobs.get("datasets", "iris/1/<rows> & more.csv") == b"a,b\n1,2\n"
    assert blobs.get("datasets", "iris/2/rows.csv") == b"new!"
    assert blobs.list("datasets", "iris/") == {
        "iris/1/<rows> & more.csv": 8,
        "iris/1/ä?.csv": 0,
        "iris/2/rows.csv": 4,
    }
    assert blobs.delete_prefix("datasets", "iris/1/") == 2
    assert [*blobs.list("datasets")] == ["iris/2/rows.csv"]


def test_a_long_list_comes_in_pages(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_iac.emulators.azure.blobs._PAGE", 2)
    for number in range(5):
        blobs.put("datasets", f"{number}", b"x" * number)
    assert blobs.list("datasets") == {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4}


def test_what_is_refused_is_told_in_the_services_words(blobs: Blobs, url: str) -> None:
    with pytest.raises(ArmError, match=r"ContainerNotFound: The specified container") as refusal:
        blobs.put("nothing", "a", b"left in the connection if it were not read")
    assert failure(refusal.value) == "gone"
    with pytest.raises(ArmError, match="BlobNotFound"):
        blobs.get("datasets", "a")
    with pytest.raises(ArmError, match="ResourceNotFound"):
        Blobs(url.replace("account1", "account2"), lambda: "token", 5).list("datasets")
    with pytest.raises(Silent, match="does not answer"):
        Blobs("http://127.0.0.1:9/blob/account1", lambda: "token", 5).list("datasets")


def test_who_may_not_upload_is_told_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Refusing:
        """A session of somebody without the role."""

        def blobs(self, account: str) -> Blobs:
            raise ArmError(403, "AuthorizationPermissionMismatch", "not authorized")

    monkeypatch.setattr(uploads, "uploads", lambda _: ["irises"])
    monkeypatch.setattr(uploads, "_files", lambda _: {"irises": {"a.csv": tmp_path}})
    monkeypatch.setattr(uploads, "content_of", lambda _: "0123")
    before = uploads.upload(scope=None)  # type: ignore[arg-type]
    with pytest.raises(MlopsError, match="the storage account acc: Auth") as refusal:
        before.do(Refusing(), {"storage_account": "acc"})
    assert "Storage Blob Data Contributor" in str(refusal.value.hint)


def test_blobs_go_with_their_container(blobs: Blobs, store: ArmStore, tmp_path: Path) -> None:
    blobs.put("datasets", "a", b"1")
    store.delete(CONTAINER)
    store.put(CONTAINER, {})
    assert blobs.list("datasets") == {}
    assert [*(tmp_path / "blobs").iterdir()] == []
