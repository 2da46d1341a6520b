"""What a platform is asked once something stands: versions, endpoints, runs, and what goes with them.

The protocol, and the records in which every platform answers. Nothing here asks a cloud. Resources
are those of a stack's state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from mlops_iac.clouds.access import Session
from mlops_iac.clouds.questions import Questions
from mlops_iac.graph.model import Resource
from mlops_iac.graph.plan import Step
from mlops_iac.records import Record

APPROVED, REJECTED, WAITING = "Approved", "Rejected", "PendingManualApproval"
"""What a registered version is, in every registry."""
GOES_ON, ROLLED_BACK = "goes on", "rolled back"
"""What a rollout is that is not over, or ended other than it was asked to."""
MISSING = "Missing"
"""The state of an endpoint that the stack made and the cloud does not have."""


@dataclass(frozen=True, slots=True)
class Version:
    """One registered version. `status` is `Approved`, `Rejected` or `PendingManualApproval`.

    `version` counts from 1 per model; `id` is the cloud's own; `created` and `changed`, when it was
    decided about, have a time zone; `by` is who decided, empty where the registry does not say;
    `metrics` are the numbers of the evaluation's report; `run` is the run that registered it and
    `images` those that it is served in. `unsealed` is where its artifact lies, if that may still be
    replaced. `details` is what the registry says of it.
    """

    model: str
    version: int
    status: str
    id: str
    created: datetime
    metrics: Mapping[str, float] = field(default_factory=dict)
    comment: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    changed: datetime | None = None
    by: str = ""
    run: str = ""
    images: Sequence[str] = ()
    unsealed: str = ""

    @property
    def decided(self) -> str:
        """When it was approved or rejected (ISO 8601, UTC); empty for one that waits."""
        return "" if self.status == WAITING else utc(self.changed)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "model": self.model,
            "version": self.version,
            "status": self.status,
            "id": self.id,
            "created": self.created.isoformat(),
            "metrics": dict(self.metrics),
            "comment": self.comment,
            "decided": self.decided,
            "by": self.by,
            **({"details": dict(self.details)} if self.details else {}),
        }


class Served(Record):
    """A registered version that a stack serves: its number in the registry `group`, and its id."""

    group: str
    version: str
    id: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant behind an endpoint.

    `percent` is its part of the traffic, of a shadow that of the calls it gets a copy of.
    `instances` counts those that run now. `version` is empty for a model that is not registered.
    `approval` is a `Version.status`, empty where nobody answered; `approved` is when (ISO 8601,
    UTC), `by` who decided, where that is known. `run` is the run of the pipeline that registered it; `metrics` are those it was registered
    with.
    """

    name: str
    percent: float | None = None
    shadow: bool = False
    instances: int | None = None
    model: str = ""
    version: str = ""
    approval: str = ""
    approved: str = ""
    by: str = ""
    comment: str = ""
    run: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a pipeline.

    `status` is `registered`, `published`, `gate-failed`, `failed`, `stopped` or `running`; `step` and `reason`
    say what failed; `started` is ISO 8601 in UTC.
    """

    id: str
    status: str
    started: str
    step: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """Versions on their way to an endpoint, or from which it went back: `state` is GOES_ON or ROLLED_BACK.

    `versions` are `model/number`, as far as they are registered. `since` is when it began or ended
    (ISO 8601, UTC); `why` is what the service says of it.
    """

    state: str
    versions: Sequence[str] = ()
    since: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One serving entry.

    `endpoint` is empty before there is one. `state` is the service's word (`InService`, `Failed`),
    `Missing` where somebody deleted it, empty where nobody answered. `serves` is whether it answers
    calls in that state, and `missing` says what it lacks to do so. `since` is when the
    configuration that it runs was made (ISO 8601, UTC). `waits_for` are models without an approved
    version. `trouble` says what is not as it was asked for. `rollout` is one that goes on, or the last
    one where it was rolled back. `pipeline` is that of a batch prediction, which has no endpoint;
    `last_run` its last run.
    """

    name: str
    endpoint: str = ""
    state: str = ""
    serves: bool = False
    missing: str = ""
    since: str = ""
    variants: Sequence[Variant] = ()
    waits_for: Sequence[str] = ()
    trouble: str = ""
    rollout: Rollout | None = None
    pipeline: str = ""
    last_run: LastRun | None = None


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm. `state` is OK, ALARM or INSUFFICIENT_DATA; empty where not known.

    `endpoint` is the one it watches, empty for the others. In the emulated cloud it is not known of
    what nobody measures there.
    """

    name: str
    endpoint: str
    state: str = ""
    since: str = ""
    reason: str = ""


class Answer(Record):
    """What a model answered to one call, and the variant that did. `milliseconds` is how long it took."""

    body: bytes
    content_type: str
    variant: str
    milliseconds: float = 0.0


class Monitored(Record):
    """What a run of a monitoring found: `broken`, `kept` or `no data`.

    `page` is where its report lies in the cloud, `file` here; `report` is `runtime.monitoring`'s. `alarms` are
    those that went off by it, `started` what that did.
    """

    state: str
    page: str = ""
    file: str = ""
    report: Mapping[str, Any] = {}
    alarms: Sequence[str] = ()
    started: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "state": self.state,
            "page": self.page,
            "file": self.file,
            "report": dict(self.report),
            "alarms": list(self.alarms),
            "started": list(self.started),
        }


class Page(Record):
    """A page that a run in the cloud has left: the run's id, the URI of the file, and its content."""

    run: str
    place: str
    content: bytes


class ModelRefused(Exception):
    """The model, not the cloud, refused a call: with an HTTP `status` and its own words.

    400 and the like are the caller's mistake, from 500 on it is the model's.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status}: {words}")
        self.status = status
        self.words = words


def utc(time: datetime | None) -> str:
    """ISO 8601 in UTC, to the second; empty for none."""
    return "" if time is None else f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class ModelRegistry(Protocol):
    """The registries that a session reaches. Methods raise what the cloud's SDK raises."""

    def versions(self, group: str, status: str = "") -> list[Version]:
        """The versions in a group, newest first, as far as a list tells; none without the group.

        `status` leaves the others out. Their `model` is the group.
        """

    def describe(self, id_: str) -> Version:
        """Everything registered about a version, but the metrics."""

    def metrics(self, version: Version) -> dict[str, float]:
        """The numbers of the report that a described version was registered with."""

    def examples(self, version: Version) -> Mapping[str, Any]:
        """What a described version answered before it was registered: `runtime.examples.report`.

        Empty where nobody asked it.
        """

    def decide(self, id_: str, *, approve: bool, comment: str = "") -> None:
        """Approve or reject a version; `comment` goes with it."""


class Operations(Protocol):
    """What stands, on one platform. Functions with a session raise what the cloud's SDK raises.

    The output of a stack that names the registry of a model ends with `registry_output`.
    """

    @property
    def registry_output(self) -> str:
        """`model_package_group`."""

    def registry(self, session: Session) -> ModelRegistry:
        """The registries that a session reaches."""

    def served(self, resources: Iterable[Resource]) -> Iterable[Served]:
        """The registered versions that the models of a stack are."""

    def endpoints(self, resources: Iterable[Resource]) -> dict[str, Resource]:
        """The endpoints of a stack, by their serving entries."""

    def entry(
        self,
        name: str,
        endpoint: Resource,
        questions: Questions | None,
        groups: Mapping[str, str],
    ) -> Entry:
        """A serving entry as its endpoint stands; `groups` maps groups of versions to models.

        `questions` is None where there is nobody to ask.
        """

    @property
    def largest_body(self) -> int:
        """How many bytes an endpoint takes in one call."""

    def invoke(
        self,
        endpoint: Resource,
        session: Session,
        body: bytes,
        content_type: str,
        *,
        variant: str = "",
    ) -> Answer:
        """Call an endpoint; without a `variant` the traffic's shares say which one answers.

        Raises ModelRefused besides.
        """

    def run_monitoring(
        self,
        pipeline: str,
        session: Session,
        runs: Path,
        identity: str = "",
        *,
        cooldown: bool = True,
    ) -> Monitored:
        """Run a deployed monitoring once in the emulated cloud, and write the run down below `runs`.

        `identity` is the run's, where somebody has told it already. Without `cooldown`, what an alarm starts
        does not wait until the last start is long ago. Raises ResourceFailed where its job fails.
        """

    def alarms(
        self, resources: Iterable[Resource], questions: Questions | None
    ) -> list[AlarmState]:
        """The alarms of a stack, those that sound first."""

    def last_run(self, pipeline: str, questions: Questions) -> LastRun | None:
        """The last run of a pipeline in its cloud; None before the first."""

    def page(self, pipeline: str, session: Session, file: str, run: str) -> Page | None:
        """The file that the last run of a pipeline has left in its report, of those that have one.

        Of the runs whose id begins with `run`.
        """

    def differing(
        self, endpoints: Iterable[Resource], session: Session, of: str = ""
    ) -> Iterable[str]:
        """A line for each endpoint that is gone or runs another configuration than was asked for.

        `of` names the stack to a command.
        """

    def images(self, endpoints: Iterable[Resource], session: Session) -> dict[str, str]:
        """Image as it was named → the same with the digest that endpoints run."""

    def definition(self, pipeline: str, session: Session) -> str | None:
        """A pipeline's definition as it is deployed; None where it is gone."""

    def read_by_run(self, steps: Iterable[Step], pipeline: str, definition: str) -> list[Step]:
        """Those of the steps that concern a pipeline or a file that it reads."""

    def upload(self, step: Step) -> str:
        """The path of the file that a step uploads; empty for a step that uploads none."""

    def uploaded(self, step: Step, session: Session) -> bytes | None:
        """What lies where a step uploads a file; None where nothing does."""

    def holdings(
        self, resources: Iterable[Resource], session: Session, *, emptied: bool, versions_go: bool
    ) -> Iterable[str]:
        """A line for each registry and store that holds something that no plan knows of.

        `emptied`: stores are, before they are deleted; `versions_go`: so are registries.
        """

    def delete_versions(self, resources: Iterable[Resource], session: Session) -> int:
        """Delete all versions in the registries of a stack; how many there were.

        Raises MlopsError where one could not be, AuthenticationError where nobody is signed in.
        """
