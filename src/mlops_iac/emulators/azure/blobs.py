"""The blobs of the emulated storage accounts: files in a folder, asked for as the service's REST has it.

`/blob/ACCOUNT/CONTAINER/NAME` here is `https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME` there. Accounts
and containers are those of the store; whoever asks needs a token, whatever it says. A blob is put as a whole,
and what is overwritten or deleted is gone at once. Source: azure-docs, rest-api, "Blob service".
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from mlops_iac.emulators.azure import kinds
from mlops_iac.emulators.azure.arm import ArmError
from mlops_iac.emulators.azure.puts import Item
from mlops_iac.emulators.azure.store import ArmStore
from mlops_iac.records import Record

_PAGE = 5000  # "List Blobs", maxresults
_CHUNK = 2**20
_XML = "application/xml"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Reply(Record):
    """An answer of HTTP."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class _Blob(Record):
    file: Path
    size: int
    type: str
    etag: str
    modified: str

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": self.type,
            "ETag": self.etag,
            "Last-Modified": self.modified,
            "x-ms-blob-type": "BlockBlob",
        }


class BlobStore:
    """The blobs of the accounts of `store`, in `folder`, which is this process's alone."""

    def __init__(self, folder: Path, store: ArmStore) -> None:
        self._folder, self._store = folder, store
        self._lock = threading.RLock()
        self._count = 0
        # By the container's id.
        self._blobs: dict[str, dict[str, _Blob]] = {}
        # What an earlier process kept is of accounts that are gone.
        shutil.rmtree(folder, ignore_errors=True)
        store.watchers.append(self._gone)

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: IO[bytes],
    ) -> Reply:
        """`path` is what follows `arm.BLOBS`, unquoted; names of `headers` are in small letters."""
        # Read in any case: what is left of it would be taken for the next request.
        sent = self._received(body, int(headers.get("content-length") or 0))
        try:
            account, container, name = [*path.split("/", 2), "", ""][:3]
            blobs = self._container(account, container, headers.get("authorization", ""))
            with self._lock:
                if not name:
                    return _listed(blobs, method, query)
                if strange := query.keys() - {"timeout"}:
                    raise ArmError(
                        400,
                        "UnsupportedQueryParameter",
                        f"{', '.join(sorted(strange))} is not emulated",
                    )
                return self._asked(blobs, method, name, headers, sent)
        except ArmError as error:
            words = f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
            told = {"Content-Type": _XML, "x-ms-error-code": error.code}
            return Reply(error.status, _document("Error", words), told)
        finally:
            sent.unlink(missing_ok=True)

    def _asked(
        self,
        blobs: dict[str, _Blob],
        method: str,
        name: str,
        headers: Mapping[str, str],
        sent: Path,
    ) -> Reply:
        if method == "PUT":
            return self._put(blobs, name, headers, sent)
        found = blobs.get(name)
        if found is None:
            raise ArmError(404, "BlobNotFound", "The specified blob does not exist.")
        match method:
            case "DELETE":
                found.file.unlink()
                del blobs[name]
                return Reply(202)
            case "GET" | "HEAD":
                return _read(found, headers.get("x-ms-range") or headers.get("range", ""))
        raise _strange(method)

    def _put(
        self, blobs: dict[str, _Blob], name: str, headers: Mapping[str, str], sent: Path
    ) -> Reply:
        if headers.get("x-ms-blob-type") != "BlockBlob":
            raise ArmError(400, "MissingRequiredHeader", "x-ms-blob-type must be BlockBlob here")
        old = blobs.get(name)
        if old is not None and headers.get("if-none-match") == "*":
            raise ArmError(409, "BlobAlreadyExists", "The specified blob already exists.")
        file = sent.with_suffix(".blob")
        sent.rename(file)
        type_ = headers.get("x-ms-blob-content-type") or headers.get("content-type", "")
        made = _Blob(
            file,
            file.stat().st_size,
            type_ or "application/octet-stream",
            f'"0x{int(file.stem):016X}"',
            format_datetime(datetime.now(UTC), usegmt=True),
        )
        blobs[name] = made
        if old is not None:
            old.file.unlink()
        return Reply(201, b"", {"ETag": made.etag, "Last-Modified": made.modified})

    def _received(self, body: IO[bytes], size: int) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._count += 1
            path = self._folder / f"{self._count}.part"
        with path.open("wb") as file:
            while size and (part := body.read(min(size, _CHUNK))):
                file.write(part)
                size -= len(part)
        return path

    def _container(self, account: str, container: str, authorization: str) -> dict[str, _Blob]:
        if not authorization:
            raise ArmError(401, "NoAuthenticationInformation", "the request has no token")
        if not authorization.startswith("Bearer "):
            raise ArmError(
                403,
                "KeyBasedAuthenticationNotPermitted",
                "Key based authentication is not permitted on this storage account.",
            )
        accounts = [each for each in self._store.of_type(kinds.ACCOUNTS) if each.name == account]
        if not accounts:
            raise ArmError(404, "ResourceNotFound", f"there is no account {account}")
        found = self._store.find(f"{accounts[0].id}/blobServices/default/containers/{container}")
        if found is None:
            raise ArmError(404, "ContainerNotFound", "The specified container does not exist.")
        with self._lock:
            return self._blobs.setdefault(found.id.lower(), {})

    def _gone(self, item: Item) -> None:
        with self._lock:
            for blob in self._blobs.pop(item.id.lower(), {}).values():
                blob.file.unlink(missing_ok=True)


def _read(found: _Blob, asked: str) -> Reply:
    content = found.file.read_bytes()
    span = _RANGE.fullmatch(asked)
    if span is None:
        return Reply(200, content, found.headers)
    start = int(span[1])
    if start >= found.size:
        raise ArmError(416, "InvalidRange", "The range specified is invalid for the current size.")
    end = min(int(span[2] or found.size), found.size - 1)
    told = {**found.headers, "Content-Range": f"bytes {start}-{end}/{found.size}"}
    return Reply(206, content[start : end + 1], told)


def _listed(blobs: Mapping[str, _Blob], method: str, query: Mapping[str, str]) -> Reply:
    if (method, query.get("restype"), query.get("comp")) != ("GET", "container", "list"):
        raise _strange(method)
    if query.get("delimiter"):
        raise ArmError(400, "UnsupportedQueryParameter", "delimiter is not emulated")
    most = min(int(query.get("maxresults") or _PAGE), _PAGE)
    after = query.get("marker", "")
    names = sorted(
        name for name in blobs if name.startswith(query.get("prefix", "")) and name >= after
    )
    told = "".join(_entry(name, blobs[name]) for name in names[:most])
    marker = escape(names[most]) if len(names) > most else ""
    words = f"<Blobs>{told}</Blobs><NextMarker>{marker}</NextMarker>"
    return Reply(200, _document("EnumerationResults", words), {"Content-Type": _XML})


def _entry(name: str, blob: _Blob) -> str:
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>{blob.modified}</Last-Modified>"
        f"<Etag>{blob.etag.strip(chr(34))}</Etag><Content-Length>{blob.size}</Content-Length>"
        f"<Content-Type>{escape(blob.type)}</Content-Type><BlobType>BlockBlob</BlobType></Properties></Blob>"
    )


def _document(tag: str, words: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><{tag}>{words}</{tag}>'.encode()


def _strange(method: str) -> ArmError:
    return ArmError(400, "UnsupportedHttpVerb", f"{method} is not emulated here")
