"""What a variant serves: the archive behind its model, in the words of SageMaker where there is none."""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends
from moto.utilities.utils import get_partition

from mlops_iac.emulators.aws.serving import NOT_EMULATED
from mlops_iac.emulators.common.inference import HANDLERS, Served

# Prebuilt images by repository and tag, and what they bring.
# Source: `clouds/aws/data/`, as `clouds.aws.sagemaker.local` reads it for a run.
_IMAGE = re.compile(
    r"(?:.*/)?(?:sagemaker-)?(scikit-learn|xgboost|pytorch|tensorflow)(?:-training|-inference)?"
    r":(\d+\.\d+)[^/]*"
)
_PACKAGES = {"pytorch": "torch"}


class CannotServe(Exception):
    """The failure of a deployment, as FailureReason words it."""


@dataclass(frozen=True)
class Container:
    """What is served, and the `image` that it was to be served in."""

    served: Served
    image: str


def container(backend: Any, model_name: str) -> Container:
    """What the model of that name serves; `backend` is moto's of SageMaker. Raises CannotServe."""
    if model_name not in backend._models:
        raise CannotServe(f'Could not find model "{model_name}".')
    several = containers(backend, model_name)
    if len(several) != 1:
        raise CannotServe(
            f"The model {model_name} has {len(several)} containers; the emulated AWS serves models"
            " of one."
        )
    said = several[0]
    image = str(said.get("Image") or "")
    match = _IMAGE.fullmatch(image)
    try:
        archive = _archive(backend, said)
    except CannotServe:
        if match:
            raise
        archive = b""
    if not (match or _has_handlers(archive)):
        raise CannotServe(
            f"{NOT_EMULATED}: {image} serves by code of its own, and the model's data here are no"
            f" archive with {HANDLERS}, which could be served. In AWS this endpoint answers."
        )
    framework = f"{_PACKAGES.get(match[1], match[1])}=={match[2]}.*" if match else ""
    return Container(Served(archive, framework, said.get("Environment") or {}), image)


def containers(backend: Any, model_name: str) -> list[dict[str, Any]]:
    """What the model's containers say, and what the versions say that they are of. Raises CannotServe."""
    model = backend._models.get(model_name)
    several = (model.primary_container, *model.containers) if model else ()
    return [_whole(backend, each) for each in several if each]


def _whole(backend: Any, said: dict[str, Any]) -> dict[str, Any]:
    if not (package := said.get("ModelPackageName")):
        return said
    found = _package(backend, package)
    if found is None:
        raise CannotServe(f"Model package {package} not found.")
    if not found.inference_specification:
        raise CannotServe(f"Model package {package} has no inference specification.")
    inner = found.inference_specification["Containers"][0]
    both = {**(inner.get("Environment") or {}), **(said.get("Environment") or {})}
    return {**inner, **said, "Environment": both}


def _package(backend: Any, package: str) -> Any:
    """The version of that name or ARN, which may be another account's; None where there is none."""
    if package.startswith("arn:"):
        _, _, _, region, account, _ = package.split(":", 5)
        backend = sagemaker_backends[account][region]
    name = backend.model_package_name_mapping.get(package, package)
    return backend.model_packages.get(name)


def _has_handlers(archive: bytes) -> bool:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            return any(PurePosixPath(name) == HANDLERS for name in tar.getnames())
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        return False


def _archive(backend: Any, said: dict[str, Any]) -> bytes:
    source = (said.get("ModelDataSource") or {}).get("S3DataSource") or {}
    uri = str(source.get("S3Uri") or said.get("ModelDataUrl") or "")
    bucket_name, _, key = uri.removeprefix("s3://").partition("/")
    store = s3_backends[backend.account_id][get_partition(backend.region_name)]
    try:
        bucket = store.get_bucket(bucket_name)
    except Exception:  # moto's own, one for each way in which there is none
        bucket = None
    if bucket is not None and source.get("S3DataType") == "S3Prefix":
        prefix = f"{key.rstrip('/')}/"
        found = {
            name.removeprefix(prefix): bucket.keys[name].value
            for name in list(bucket.keys)
            if name.startswith(prefix) and not name.endswith("/")
        }
        if found:
            return _packed(found)
    elif bucket is not None and key in bucket.keys:
        return bytes(bucket.keys[key].value)
    # The service's words, which users find explained when they search for them.
    raise CannotServe(
        f'Failed to download model data for container "container_1" from URL: "{uri}". Please'
        " ensure that there is an object located at the URL and that the role passed to CreateModel"
        " has permissions to download the object."
    )


def _packed(files: dict[str, bytes]) -> bytes:
    """Objects as one archive, the same for the same objects."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
