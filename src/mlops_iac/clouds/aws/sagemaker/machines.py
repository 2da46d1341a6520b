"""What steps and endpoints run on and in: instance types and container images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from mlops_iac.blueprint import Blueprint
from mlops_iac.blueprint.sections.compute import Compute, EndpointCompute, Runtime
from mlops_iac.blueprint.sections.models import Model
from mlops_iac.blueprint.torn import judged, known_or
from mlops_iac.blueprint.words import suggestion
from mlops_iac.clouds.aws import availability, catalogue, containers
from mlops_iac.clouds.aws.sagemaker.definition.parts import SERVING_ENVIRONMENT
from mlops_iac.clouds.aws.sagemaker.scope import STEPS, Scope
from mlops_iac.clouds.base import Setting
from mlops_iac.errors import Diagnostic, UsageError
from mlops_iac.pipeline.reading import models_of, serving_entry

# What no region has, this one has not.
ANY_REGION = "us-east-1"
# For what each step takes an instance type.
USES: dict[str, catalogue.Purpose] = {
    "prepare": "processing",
    "train": "training",
    "evaluate": "processing",
}
_REGIONS_SHOWN = 6
_ECR = r"(\d{12})\.dkr\.ecr\.[a-z0-9-]+\.[a-z.]+/([^:@]+)([:@].+)?"


def instance(compute: Compute | EndpointCompute, purpose: catalogue.Purpose) -> str:
    """The instance type of a compute section for one purpose."""
    if compute.instance is not None:
        return compute.instance
    return catalogue.instance_type(compute.size or "small", purpose)


def check_instance(
    scope: Scope, path: str, compute: Compute | EndpointCompute, purpose: catalogue.Purpose
) -> Iterator[Diagnostic]:
    """An instance type that has not this purpose, or that the region has not, with near ones."""
    known = catalogue.instance_types(purpose)
    at = f"{path}.instance"
    if compute.instance is not None and compute.instance not in known:
        yield scope.wrong(
            at,
            f"'{compute.instance}' is no instance type for {purpose}",
            _instance_hint(compute.instance, sorted(known)),
            code="unknown-instance",
        )
        return
    if compute.instance is None:
        at = f"{path}.size" if compute.size else path
    yield from _check_region(scope, at, instance(compute, purpose), purpose)


def _check_region(
    scope: Scope, at: str, type_: str, purpose: catalogue.Purpose
) -> Iterator[Diagnostic]:
    region = scope.blueprint.region
    if not availability.is_lacking(type_, purpose, region):
        return
    near = availability.alternatives(type_, purpose, region)
    here = region.partition("-")[0]
    there = sorted(
        availability.regions_with(type_, purpose) or (),
        key=lambda each: (not each.startswith(f"{here}-"), each),
    )
    hint = f"it has {', '.join(near)}; " if near else ""
    yield scope.wrong(
        at,
        f"{region} has no {type_} for {purpose}",
        f"{hint}{type_} is in {', '.join(there[:_REGIONS_SHOWN])}"
        + (f" and {len(there) - _REGIONS_SHOWN} more" if len(there) > _REGIONS_SHOWN else ""),
        code="not-in-region",
    )


def _instance_hint(written: str, known: Sequence[str]) -> str:
    found = suggestion(written, known)
    if found.startswith("did you mean"):
        return found
    return "for example ml.m5.large; or write a size: " + ", ".join(catalogue.SIZES)


def units(compute: EndpointCompute, metric: str | None) -> int:
    """How many cores (or GPUs) one instance has: utilisation is the sum over them."""
    facts = catalogue.spec(instance(compute, "hosting"))
    if facts is None:
        return 1
    return max(1, int(facts[2] if metric == "gpu_percent" else facts[0]))


def runtime_of(model: Model, step: str) -> Runtime | None:
    """What a step runs in: its own runtime, or the model's."""
    section = getattr(model, step, None)
    return (section.runtime if section is not None else None) or model.runtime


def image(runtime: Runtime, scope: catalogue.Scope, region: str, *, gpu: bool) -> str:
    """The URI of a runtime's image. Raises UsageError where there is none."""
    if runtime.image is not None:
        return runtime.image
    found = catalogue.framework_image(
        runtime.framework or "", runtime.version or "", scope, region, gpu=gpu
    )
    return found.uri


def step_images(scope: Scope, name: str, model: Model) -> dict[Any, str]:
    """Images by step, and `serve` for the versions that are registered."""
    region = scope.blueprint.region
    instances = step_instances(scope, name, model)
    found = {
        step: image(runtime, "training", region, gpu=catalogue.is_gpu(instances[step]))
        for step in STEPS
        if step in instances and (runtime := runtime_of(model, step)) is not None
    }
    if model.runtime is not None and "try" in instances:
        gpu = catalogue.is_gpu(instances["try"])
        found["try"] = image(model.runtime, "inference", region, gpu=gpu)
    return {**found, "serve": serving_image(scope, name, model)}


def step_instances(scope: Scope, name: str, model: Model) -> dict[Any, str]:
    """Instance types by step, and what the versions are registered for: `serve`, `transform`.

    Batch transforms know fewer types than endpoints; a version need not name one for them. A try
    runs on what serves, where jobs have that type.
    """
    found = {
        step: instance(section.compute, USES[step])
        for step in STEPS
        if (section := getattr(model, step)) is not None
    }
    found["serve"] = serves = _serving_instance(scope.blueprint, name)
    batch = _first_compute(scope.blueprint, name, Compute)
    if batch is not None:
        found["transform"] = instance(batch, "transform")
    elif serves in catalogue.instance_types("transform"):
        found["transform"] = serves
    if serving_entry(scope.resolved, name) is not None:
        jobs = catalogue.instance_types("processing")
        here = not availability.is_lacking(serves, "processing", scope.blueprint.region)
        small = catalogue.instance_type("small", "processing")
        found["try"] = serves if serves in jobs and here else small
    return found


def serving_image(scope: Scope, name: str, model: Model) -> str:
    """The image that serves a model."""
    if model.runtime is None:
        raise UsageError(f"models.{name} has no runtime", hint="write what its code runs in")
    gpu = catalogue.is_gpu(_serving_instance(scope.blueprint, name))
    return image(model.runtime, "inference", scope.blueprint.region, gpu=gpu)


def _serving_instance(blueprint: Blueprint, model: str) -> str:
    """The instance type of the first endpoint that serves the model; the smallest without one."""
    compute = _first_compute(blueprint, model, EndpointCompute)
    return instance(compute or EndpointCompute(size="small"), "hosting")


_Compute = TypeVar("_Compute", Compute, EndpointCompute)


def _first_compute(blueprint: Blueprint, model: str, kind: type[_Compute]) -> _Compute | None:
    """What the first entry runs on that serves the model with `kind`: a job's, or an endpoint's."""
    for entry in blueprint.serving.values():
        compute = getattr(entry, "compute", None)
        if model in models_of(entry) and isinstance(compute, kind):
            return compute
    return None


def served(scope: Scope) -> set[str]:
    """The models that any entry serves."""
    return {name for entry in scope.blueprint.serving.values() for name in models_of(entry)}


def model_uris(scope: Scope) -> list[Setting]:
    """Where models lie that are served and come from elsewhere."""
    here = served(scope)
    return [
        Setting(model.source, f"models.{name}.source")
        for name, model in scope.blueprint.models.items()
        if name in here and model.source is not None
    ]


def source_environment(model: Model) -> dict[str, str]:
    """What makes a framework's container serve a model that was not trained here."""
    if model.runtime is None or model.runtime.image is not None:
        return {}
    return dict(SERVING_ENVIRONMENT)


def offline_environment(scope: Scope, model: Model) -> dict[str, str]:
    """What makes prebuilt containers install nothing from an index, where none is reached."""
    if scope.reaches_index or model.runtime is None or model.runtime.framework is None:
        return {}
    return containers.offline()


def repositories(scope: Scope) -> list[str]:
    """ECR repositories (`<account>/<repository>`) that steps and endpoints pull from."""
    blueprint = scope.blueprint
    here = served(scope)
    uris: set[str] = set()
    for name, model in blueprint.models.items():
        if name in scope.trained:
            uris.update(step_images(scope, name, model).values())
        elif name in here:
            uris.add(serving_image(scope, name, model))
    return ecr(uris)


def ecr(uris: Iterable[str]) -> list[str]:
    """The repositories of images in ECR, `<account>/<repository>`."""
    matches = (re.fullmatch(_ECR, uri) for uri in uris)
    return sorted({f"{match[1]}/{match[2]}" for match in matches if match})


def check_images(scope: Scope, name: str) -> Iterator[Diagnostic]:
    """A runtime without an image, or with one that SageMaker cannot pull."""
    model = scope.blueprint.models[name]
    path = f"models.{name}"
    steps = [step for step in STEPS if getattr(model, step) is not None]
    trained = name in scope.trained
    if model.runtime is None:
        wanting = [step for step in steps if runtime_of(model, step) is None]
        if model.source is not None or wanting or trained:
            yield scope.wrong(
                path,
                "nothing says what it runs in",
                "write `runtime: {framework: …, version: …}` or `{image: …}`",
                code="no-runtime",
                at_key=True,
            )
        return
    serves = known_or("", lambda: _serving_instance(scope.blueprint, name))
    asked: list[tuple[str, Runtime, catalogue.Scope, str]] = [
        (f"{path}.runtime", model.runtime, "inference", serves)
    ]
    if trained:
        for step in steps:
            section = getattr(model, step)
            own = section.runtime
            at = f"{path}.{step}.runtime" if own else f"{path}.runtime"
            runs = known_or("", partial(instance, section.compute, USES[step]))
            asked.append((at, own or model.runtime, "training", runs))
    told: set[str] = set()
    for at, runtime, use, machine in asked:
        for item in judged(
            _check_image(scope, at, runtime, use, machine),
            _check_container(scope, at, runtime, use) if model.source is None else (),
        ):
            if at not in told:
                told.add(at)
                yield item


def _check_image(
    scope: Scope, path: str, runtime: Runtime, use: catalogue.Scope, machine: str
) -> Iterator[Diagnostic]:
    if runtime.dockerfile is not None:
        return
    region = known_or(ANY_REGION, lambda: scope.blueprint.region)
    if runtime.image is not None:
        if not re.fullmatch(_ECR, runtime.image):
            yield scope.wrong(
                f"{path}.image",
                f"SageMaker pulls from ECR only, not '{runtime.image}'",
                f"push it to ECR: ACCOUNT.dkr.ecr.{region}.{catalogue.dns_suffix(region)}/NAME:TAG",
            )
        return
    at = f"{path}.version" if runtime.version else f"{path}.framework"
    if not runtime.version:
        versions = ", ".join(_versions(runtime.framework or "", use))
        yield scope.wrong(at, f"which version of {runtime.framework}?", versions, code="no-version")
        return
    try:
        gpu = bool(machine) and catalogue.is_gpu(machine)
    except UsageError:
        return  # no instance type at all: told where it is written
    try:
        catalogue.framework_image(runtime.framework or "", runtime.version, use, region, gpu=gpu)
    except UsageError as error:
        yield scope.wrong(at, error.message, error.hint, code="no-image")


def _check_container(
    scope: Scope, path: str, runtime: Runtime, use: catalogue.Scope
) -> Iterator[Diagnostic]:
    """An image whose container cannot run what is packed for it."""
    if runtime.dockerfile is not None:
        return
    framework = runtime.framework or ""
    reason = containers.cannot_serve(framework) if use == "inference" else None
    if reason:
        yield scope.wrong(
            f"{path}.framework",
            f"{framework} does not serve what is trained here: {reason}",
            "bring an image that serves (`runtime: {image: …}`), and name"
            f" {framework} for the steps: `train: {{runtime: {{framework: {framework}, version: …}}}}`",
            code="cannot-serve",
        )
        return
    oldest = containers.oldest(framework)
    found = catalogue.framework_version(framework, runtime.version or "", use) if oldest else None
    if oldest and found and catalogue.is_older(found, oldest):
        yield scope.wrong(
            f"{path}.version",
            f"the Python of {framework} {found} is older than"
            f" {containers.PYTHON}, which the steps need",
            f"take {oldest} or newer, or an image of your own (runtime.image)",
            code="no-image",
        )


def _versions(framework: str, use: catalogue.Scope) -> tuple[str, ...]:
    try:
        return catalogue.framework_versions(framework, use)
    except UsageError:
        return ()
