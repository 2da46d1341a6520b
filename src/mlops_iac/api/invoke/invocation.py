"""Call the model behind a serving entry, and say in one sentence why it does not answer.

what is wrong                                         raised
the entry, the rows, a row that the model refuses     UsageError
nothing is deployed, or no version is approved yet    UsageError, with what comes next
nobody is signed in, or may not call                  AuthenticationError
the endpoint failed, the model failed                 ResourceFailed
nobody answers                                        TimedOut
anything else that the cloud says                     MlopsError

Nothing is asked about the endpoint before a call has failed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.core.stack_state import deployed_by
from mlops_iac.api.deploy.places import session
from mlops_iac.api.invoke import request as requests
from mlops_iac.api.invoke.request import Request
from mlops_iac.api.models.running_versions import groups_of
from mlops_iac.api.status.missing import missing_of
from mlops_iac.api.status.status import status
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.sections.serving import Batch, RealTime
from mlops_iac.clouds.operations import ModelRefused
from mlops_iac.clouds.questions import Questions
from mlops_iac.errors import (
    AuthenticationError,
    MlopsError,
    ResourceFailed,
    TimedOut,
    UsageError,
)
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.clouds.access import Failure, Session
    from mlops_iac.clouds.operations import Answer
    from mlops_iac.graph.model import Resource

_DATASET = "dataset:"
_CALLERS_MISTAKE = 500
_BUSY = (429, 503)
_LONGEST = 500


class Invocation(Record):
    """What a call sent, and what the model answered.

    `predictions` are JSON values, one for each of the `rows`; of a body that was sent as it is, the
    rows are None and the predictions what the model made of it. `variant` is the one that answered;
    `latency_ms` the time of the call as seen from here.
    """

    entry: str
    endpoint: str
    variant: str
    predictions: Sequence[Any]
    latency_ms: float
    rows: Sequence[Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "entry": self.entry,
            "endpoint": self.endpoint,
            "variant": self.variant,
            "predictions": list(self.predictions),
            "latency_ms": round(self.latency_ms, 1),
            "rows": None if self.rows is None else list(self.rows),
        }


class Callee:
    """The endpoint of an entry, found once for as many calls as are made.

    Raises UsageError where there is none that could answer.
    """

    def __init__(self, deployment: Deployment, name: str) -> None:
        resources = deployment.resources()
        self.deployment, self.name = deployment, name
        self.endpoint = _endpoint(deployment, name, resources)
        self._region = deployed_by(resources)[0].region

    @cached_property
    def session(self) -> Session:
        """The way to it."""
        return session(self.deployment.project, self.deployment.stack, region=self._region)


def invoke(
    deployment: Deployment,
    entry: str | None,
    rows: Sequence[Any] | str | Path | bytes | None,
    *,
    variant: str,
    first: int | None,
    content_type: str,
) -> Invocation:
    """Call the endpoint of an entry; see `Project.invoke`."""
    project, stack = deployment.project, deployment.stack
    name = called_entry(project, stack, entry)
    _require_headers(rows, variant, first, content_type)
    callee = Callee(deployment, name)
    most = project.operations.largest_body
    return call(
        callee, _request(project, stack, name, rows, variant, first, content_type, most), variant
    )


def call(callee: Callee, sent: Request, variant: str = "") -> Invocation:
    """Send a request; what it raises is what `Project.invoke` raises of an answer."""
    project, name, endpoint = callee.deployment.project, callee.name, callee.endpoint
    there = callee.session
    try:
        answer = project.operations.invoke(
            endpoint, there, sent.body, sent.content_type, variant=variant
        )
    except ModelRefused as error:
        raise _refused(name, sent, error) from None
    except MlopsError:
        raise
    except Exception as error:
        failure = project.access.failure(error)
        if failure is None:
            raise
        raise _unanswered(callee, variant, failure, error) from None
    predictions = _predictions(name, answer)
    if sent.rows is not None and len(predictions) != len(sent.rows):
        raise ResourceFailed(
            f"{name} answered {len(predictions)} predictions for {len(sent.rows)} rows",
            hint="let `predict` return one value per row, in order",
        )
    at = str(endpoint.inputs.get("name") or endpoint.id)
    return Invocation(name, at, answer.variant, predictions, answer.milliseconds, sent.rows)


def _require_headers(rows: object, variant: str, first: int | None, content_type: str) -> None:
    """Raise UsageError for what cannot be said in a header, and for a type of what has its own."""
    if not re.fullmatch(r"[\w.-]*", variant, re.ASCII):
        raise UsageError(f"{variant!r} is no name of a variant")
    if not content_type:
        return
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+(;[ -~]*)?", content_type, re.ASCII):
        raise UsageError(f"{content_type!r} is no content type", hint="image/png is one")
    if first is not None or not (isinstance(rows, bytes | Path) or _is_path(rows)):
        raise UsageError(
            "with a content type a file is sent as it is, without looking for rows in it",
            hint="give a file (or - for stdin) and no number of rows, or leave the type out",
        )


def _is_path(rows: object) -> bool:
    return isinstance(rows, str) and not rows.startswith(_DATASET) and not _is_json(rows)


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def called_entry(project: BaseProject, stack: str, entry: str | None) -> str:
    """The serving entry meant: the one named, or the only one that answers calls.

    Raises UsageError otherwise.
    """
    serving = project.resolve(stack).blueprint.serving
    names = [name for name, each in serving.items() if isinstance(each, RealTime)]
    if entry is None and len(names) == 1:
        return names[0]
    there = f"it has: {', '.join(names) or 'none'}"
    if entry is None:
        what = "which entry?" if names else "the blueprint has no serving entry that answers calls"
        raise UsageError(what, hint=f"one of {', '.join(names)}" if names else "write `serving`")
    if entry in names:
        return entry
    if isinstance(serving.get(entry), Batch):
        raise UsageError(
            f"{entry} predicts for a whole dataset at a time and answers no calls",
            hint=f"`mlops-iac run {entry}`",
        )
    near = get_close_matches(entry, names, n=1)
    raise UsageError(
        f"the blueprint has no serving entry {entry!r} that answers calls",
        hint=f"did you mean {near[0]!r}?" if near else there,
    )


def _endpoint(deployment: Deployment, name: str, resources: Sequence[Resource]) -> Resource:
    project, stack = deployment.project, deployment.stack
    of = "" if stack == LOCAL else f" -s {stack}"
    up = UsageError(f"nothing is deployed to {stack}", hint=f"`mlops-iac up{of}`")
    if not resources:
        raise up
    if project.emulates(stack) and (deployment.lost or project.emulated_cloud.answering() is None):
        raise UsageError(
            "the emulated cloud was stopped, and lost what it held",
            hint=f"`mlops-iac up{of}` makes it again",
        )
    found = project.operations.endpoints(resources).get(name)
    if found is None:
        report = status(deployment)
        stands = next((each for each in report.entries if each.name == name), None)
        why = (stands and stands.missing) or "it is not deployed"
        raise UsageError(
            f"{name} has no endpoint yet: {why}",
            hint=", ".join(f"`{each}`" for each in report.next or [f"mlops-iac up{of}"]),
        )
    if found.recorded:
        raise UsageError(f"{name} is recorded, not emulated: nothing answers for it here")
    return found


def _request(
    project: BaseProject,
    stack: str,
    name: str,
    rows: Sequence[Any] | str | Path | bytes | None,
    variant: str,
    first: int | None,
    content_type: str,
    most: int,
) -> Request:
    match rows:
        case None:
            return of_dataset(project, stack, name, variant, None, first, most)
        case str() if rows.startswith(_DATASET):
            dataset = rows.removeprefix(_DATASET)
            return of_dataset(project, stack, name, variant, dataset, first, most)
        case str() if _is_json(rows):
            return requests.of_text(rows.encode(), "what was given", first, most)
        case str() | Path():
            return requests.of_file(Path(rows), content_type, first, most)
        case bytes():
            if content_type:
                return requests.as_it_is(rows, content_type, most)
            return requests.of_text(rows, "the input", first, most)
        case _:
            numbered = ((f"row {number}", row) for number, row in enumerate(rows, 1))
            return requests.of_rows(numbered, first, most)


def of_dataset(
    project: BaseProject,
    stack: str,
    name: str,
    variant: str,
    dataset: str | None,
    first: int | None,
    most: int,
) -> Request:
    """Rows of the named dataset, or of the first one beside the blueprint that the model learns from."""
    blueprint = project.resolve(stack).blueprint
    there = {key: each for key, each in blueprint.datasets.items() if each.is_local}
    if dataset is None:
        model = _model(blueprint.serving[name], variant)
        learns = [key for key in blueprint.models[model].datasets if key in there]
        dataset = next((key for key in learns if there[key].target), next(iter(learns), None))
        if dataset is None:
            raise UsageError(
                f"{model} has no dataset beside the blueprint to take rows from",
                hint="give rows: `--rows FILE`, or `--rows '{\"column\": value}'`",
            )
    if dataset not in there:
        what = "lies elsewhere" if dataset in blueprint.datasets else "is not in the blueprint"
        raise UsageError(
            f"the dataset {dataset!r} {what}",
            hint=f"beside the blueprint are: {', '.join(there) or 'none'}; or give `--rows FILE`",
        )
    section = there[dataset]
    path = project.root / str(section.source)
    return requests.of_dataset(path, str(section.format), section.target, first, most)


def _model(entry: Any, variant: str) -> str:
    variants = getattr(entry, "variants", None) or {}
    chosen = variants.get(variant) or next(iter(variants.values()), None)
    return str(chosen.model if chosen is not None else entry.model)


def _predictions(name: str, answer: Answer) -> list[Any]:
    """What the model answered: `{"predictions": […]}`, a list, JSON lines, or any other text."""
    try:
        text = answer.body.decode()
    except UnicodeDecodeError:
        raise MlopsError(
            f"{name} answered {len(answer.body)} bytes of {answer.content_type or 'no type'}, no text",
            hint="call its endpoint with the cloud's own client to get them",
        ) from None
    try:
        said = json.loads(text)
    except ValueError:
        try:
            said = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            return [text]
        if all(isinstance(each, dict) and [*each] == ["prediction"] for each in said):
            return [each["prediction"] for each in said]
        return said
    if isinstance(said, dict) and isinstance(said.get("predictions"), list):
        return list(said["predictions"])
    return said if isinstance(said, list) else [said]


def _refused(name: str, sent: Request, error: ModelRefused) -> MlopsError:
    """The model's own words; whose fault it is, the status says."""
    words, number = _told(error.words)
    if error.status in _BUSY:
        return MlopsError(f"{name} is busy: {words}", hint="try again")
    if error.status >= _CALLERS_MISTAKE:
        return ResourceFailed(
            f"the model of {name} failed: {words}",
            hint="mend `predict.py` and run the model's pipeline again; the endpoint's log has more",
        )
    what = "the request"
    if number is not None and sent.rows is not None and 0 < number <= len(sent.rows):
        what = sent.places[number - 1]
        words = words.removeprefix(f"predict refuses row {number}: ")
    return UsageError(f"the model of {name} refused {what}: {words}", hint="mend what was sent")


def _told(words: str) -> tuple[str, int | None]:
    """The words of a refusal on one line, and the row that they are about (from 1), if they say one."""
    row = None
    try:
        said = json.loads(words)
    except ValueError:
        lines = [line for line in words.splitlines() if line.strip()]
        words = lines[-1] if lines else "it gave no reason"
    else:
        if isinstance(said, dict):
            words = str(said.get("error") or said.get("message") or words)
            row = said.get("row")
    words = " ".join(words.split())
    short = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
    return short, row if isinstance(row, int) else None


def _unanswered(callee: Callee, variant: str, failure: Failure, error: Exception) -> MlopsError:
    """Why the cloud did not take a call: who asks, then how the endpoint stands, then its words."""
    project, stack, name = callee.deployment.project, callee.deployment.stack, callee.name
    of = "" if stack == LOCAL else f" -s {stack}"
    match failure:
        case "signed out":
            return AuthenticationError(f"{name} was not called: {error}", hint="sign in")
        case "refused":
            return AuthenticationError(
                f"{name} may not be called by you: {error}",
                hint=f"let who deploys name you in `serving.{name}.callers`",
            )
        case "silent":
            return TimedOut(f"{name} did not answer: {error}", hint=f"`mlops-iac status{of}`")
    questions = Questions(project.access, callee.session, stack, of)
    stands = project.operations.entry(name, callee.endpoint, questions, groups_of(project, stack))
    variants = [each.name for each in stands.variants if not each.shadow]
    if missing := missing_of(stands, ()):
        kind = ResourceFailed if stands.trouble else MlopsError
        return kind(f"{name} is not in service: {missing}", hint=f"`mlops-iac status{of}`")
    if variant and variants and variant not in variants:
        return UsageError(
            f"{name} has no variant {variant!r} that answers", hint=f"it has: {', '.join(variants)}"
        )
    return MlopsError(f"{name} was not answered: {error}", hint=f"`mlops-iac status{of}`")
