"""What jobs do with the workspace's registry: register a version, find the one in service.

Azure ML has no approval of its own: it is the tag `approval` of a version (`pending`, `approved`, `rejected`).
Imports the standard library alone. It signs in as the job's identity; source: azure-identity 1.27,
`AzureMLCredential`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

_API = "2025-12-01"
_ARM = "https://management.azure.com"
_STORAGE = "https://storage.azure.com"
_BLOBS = "2025-05-05"
_ARCHIVE = "model.tar.gz"
Ask = Callable[..., Any]


def main(arguments: Sequence[str]) -> int:
    """`register` or `current`, as the arguments say. Returns the exit code."""
    given = _parser().parse_args(arguments)
    if given.action == "register":
        return register(arm, given)
    current(arm, given)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=("register", "current"))
    parser.add_argument("--workspace")
    parser.add_argument("--model")
    parser.add_argument("--uri")
    parser.add_argument("--approval")
    parser.add_argument("--report")
    parser.add_argument("--examples")
    parser.add_argument("--gate", action="append", default=[])
    parser.add_argument("--version")
    parser.add_argument("--otherwise")
    parser.add_argument("--blobs")
    parser.add_argument("--out")
    return parser


def register(ask: Ask, given: argparse.Namespace) -> int:
    """Make a version of what lies at `uri`, unless the report misses a gate. Returns the exit code.

    A run that registers again has the version that it made.
    """
    report: dict[str, Any] = {}
    if given.report:
        report = json.loads((Path(given.report) / "report.json").read_text(encoding="utf-8"))
    gates = [json.loads(each) for each in given.gate]
    if gates:
        metrics = importlib.import_module("mlops_runtime.metrics")
        missed = metrics.missed_gates(gates, report["metrics"], report.get("current") or {})
        if missed:
            print(f"mlops-iac error: Not registered: {'; '.join(missed)}")  # noqa: T201
            return 1
    versions = list(_versions(ask, given))
    if any(each["properties"].get("modelUri") == given.uri for each in versions):
        return 0
    number = max((int(each["name"]) for each in versions), default=0) + 1
    tags = {"approval": given.approval}
    tags |= {f"metric.{name}": repr(value) for name, value in report.get("metrics", {}).items()}
    if given.examples:
        tags["examples"] = given.examples
    properties = {"modelType": "custom_model", "modelUri": given.uri, "tags": tags}
    ask("PUT", f"{_models(given)}/{number}", {"properties": properties})
    print(f"{given.model}/{number} is registered, {given.approval}")  # noqa: T201
    return 0


def current(ask: Ask, given: argparse.Namespace) -> None:
    """Leave the archive of the version in service, and its name, below `out`.

    `version` is `newest`, the newest approved one, or a number; before the first, what lies at `otherwise`
    stands in, and the name is `none`. Raises ValueError for a version that is not there.
    """
    found = {
        int(each["name"]): each["properties"]["modelUri"]
        for each in _versions(ask, given)
        if given.version == each["name"]
        or (
            given.version == "newest"
            and each["properties"].get("tags", {}).get("approval") == "approved"
        )
    }
    out = Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    if not found and given.version != "newest":
        raise ValueError(f"{given.model} has no version {given.version}, which is pinned")
    if not found:
        shutil.copyfile(Path(given.otherwise) / _ARCHIVE, out / _ARCHIVE)
        (out / "version").write_text("none", encoding="utf-8")
        return
    number = max(found)
    # azureml://…/datastores/<name>/paths/<path>; the store's container is `blobs`.
    path = found[number].partition("/paths/")[2].strip("/")
    headers = {"x-ms-version": _BLOBS, "Authorization": f"Bearer {_token(_STORAGE)}"}
    request = urllib.request.Request(f"{given.blobs}/{path}/{_ARCHIVE}", headers=headers)  # noqa: S310
    with urllib.request.urlopen(request) as answer, (out / _ARCHIVE).open("wb") as file:  # noqa: S310
        shutil.copyfileobj(answer, file)
    (out / "version").write_text(f"{given.model}/{number}", encoding="utf-8")


def _models(given: argparse.Namespace) -> str:
    return f"{given.workspace}/models/{given.model}/versions"


def _versions(ask: Ask, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Those that are numbered; others were registered by somebody else."""
    answer = ask("GET", _models(given))
    while True:
        yield from (each for each in answer["value"] if each["name"].isdigit())
        if not answer.get("nextLink"):
            return
        answer = ask("GET", answer["nextLink"])


def arm(method: str, path: str, body: Any = None) -> Any:
    """What Azure's API answers; `path` may be a whole address. Raises HTTPError where it refuses."""
    url = path if path.startswith(_ARM) else f"{_ARM}{path}?api-version={_API}"
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {_token(_ARM)}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.load(answer)


def _token(resource: str) -> str:
    query = {"api-version": "2017-09-01", "resource": resource}
    if "DEFAULT_IDENTITY_CLIENT_ID" in os.environ:
        query["clientid"] = os.environ["DEFAULT_IDENTITY_CLIENT_ID"]
    url = f"{os.environ['MSI_ENDPOINT']}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, headers={"secret": os.environ["MSI_SECRET"]})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return str(json.load(answer)["access_token"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
