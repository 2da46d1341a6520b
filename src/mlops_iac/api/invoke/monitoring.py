"""The monitoring of a serving entry on this machine, and calls that give it something to find."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Literal

from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.served_versions import output_name
from mlops_iac.api.invoke.invocation import Callee, call, called_entry, of_dataset
from mlops_iac.api.invoke.request import of_rows
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds.operations import Monitored
from mlops_iac.errors import ResourceFailed, UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject

Row = dict[str, Any]
_SCALE = 2.0  # by how much numbers that drift grow
_READ = 100_000  # rows of the dataset, of which some are sent
_SEED = 0
_FEW = 50  # different values at most of a category
# Who waits for a slow model calls it seldom; several at once still make traffic.
_AT_ONCE = 4
_IN_A_ROW = 16 * _AT_ONCE


class Simulated(Record):
    """Calls that were made: to which `entry`, how many, and which columns were changed, and how.

    `failed` counts those that the model failed at, `why` is what was said of the last of them.
    """

    entry: str
    calls: int
    shifted: Mapping[str, str] = {}
    failed: int = 0
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "entry": self.entry,
            "calls": self.calls,
            "shifted": dict(self.shifted),
            "failed": self.failed,
            "why": self.why,
        }


def monitor(
    project: BaseProject,
    entry: str | None,
    stack: str,
    *,
    identity: str = "",
    cooldown: bool = True,
) -> tuple[str, Monitored]:
    """Run the deployed monitoring of an entry once; see `Project.monitor`.

    `identity` is the run's, where a client was told it already.
    """
    name = called_entry(project, stack, entry)
    _require_emulated(project, stack)
    of = "" if stack == LOCAL else f" -s {stack}"
    with Deployment(project, stack) as deployment:
        outputs = deployment.outputs()
    pipeline = str(outputs.get(f"{output_name(name)}_monitoring_pipeline") or "")
    if not pipeline:
        declared = project.resolve(stack).blueprint.serving[name].monitor
        raise UsageError(
            f"no monitoring of {name} is deployed to {stack}",
            hint=f"`mlops-iac up{of}` deploys it"
            if declared and any(each == "drift_psi" for each in declared.limits)
            else f"write `serving.{name}.monitor: {{limits: {{drift_psi: {{at_most: 0.2}}}}}}` and"
            " `capture: {}`",
        )
    if project.emulated_cloud.answering() is None:
        raise UsageError(
            "the emulated cloud was stopped, and lost what it held",
            hint=f"`mlops-iac up{of}` makes it again",
        )
    session, runs = project.emulated_cloud.session(stack), project.emulator / "runs"
    found = project.operations.run_monitoring(pipeline, session, runs, identity, cooldown=cooldown)
    return name, found


def simulate(
    project: BaseProject,
    entry: str | None,
    stack: str,
    kind: Literal["traffic", "drift"],
    calls: int,
) -> Simulated:
    """Send rows of the model's dataset, a call each; see `Project.simulate`."""
    name = called_entry(project, stack, entry)
    _require_emulated(project, stack)
    most = project.operations.largest_body
    found = of_dataset(project, stack, name, "", None, _READ, most * 1000).rows
    rows = [each for each in found or () if isinstance(each, dict)]
    # Its first rows are often its oldest; drawn from all, they are like what the model was made of.
    rows = random.Random(_SEED).sample(rows, min(calls, len(rows)))  # noqa: S311
    if not rows:
        raise UsageError(f"the dataset of {name} has no rows that could be sent")
    shifted: dict[str, str] = {}
    if kind == "drift":
        shifted = dict(_shift(rows, _kept(project, stack, name)))
        if not shifted:
            raise UsageError(f"no column of {name}'s rows is a number or a category to be shifted")
    failed, why, left = 0, "", islice(cycle(rows), calls)
    with Deployment(project, stack) as deployment, ThreadPoolExecutor(_AT_ONCE) as callers:
        callee = Callee(deployment, name)

        def sent(row: Row) -> str:
            try:
                call(callee, of_rows(iter([("the row", row)]), None, most))
            except ResourceFailed as error:
                # Others go on calling, too, which is what a rollout is judged by.
                return error.message
            return ""

        some = 1  # the first one makes what all share
        while taken := list(islice(left, some)):
            for why_not in filter(None, callers.map(sent, taken)):
                failed, why = failed + 1, why_not
            some = _IN_A_ROW
    if failed == calls:
        raise ResourceFailed(
            why, hint=f"all {calls} calls failed; `mlops-iac invoke {name}` is one"
        )
    return Simulated(name, calls, shifted, failed, why)


def _kept(project: BaseProject, stack: str, name: str) -> set[str]:
    """Columns that no monitoring compares: keys and times."""
    blueprint = project.resolve(stack).blueprint
    monitored = blueprint.serving[name].monitor
    keys = [monitored.outcomes.key] if monitored and monitored.outcomes else []
    return {*keys, *(each.time for each in blueprint.datasets.values() if each.time)}


def _shift(rows: list[Row], kept: set[str]) -> Iterator[tuple[str, str]]:
    """Scale one column of numbers, and give one of categories its rarest value; say which."""
    columns = [name for name in rows[0] if name not in kept and all(name in row for row in rows)]
    counted = {name: Counter(map(_hashed, _values(rows, name))) for name in columns}
    numbers = [name for name in columns if all(map(_is_number, _values(rows, name)))]
    # The one that has the most different values is a measure, and no code.
    number = max(numbers, key=lambda name: len(counted[name]), default=None)
    if number is not None:
        for row in rows:
            value = row[number]
            # What was a whole number stays one.
            row[number] = None if value is None else type(value)(value * _SCALE)
        yield number, f"times {_SCALE:g}"
    for name in columns:
        texts = all(isinstance(each, str) for each in _values(rows, name))
        if texts and 1 < len(counted[name]) <= _FEW:
            (rarest, _) = counted[name].most_common()[-1]
            for row in rows:
                row[name] = rarest
            yield name, f"always {rarest!r}"
            return


def _values(rows: list[Row], name: str) -> list[Any]:
    return [row[name] for row in rows if row[name] is not None]


def _hashed(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else repr(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require_emulated(project: BaseProject, stack: str) -> None:
    if not project.emulates(stack):
        raise UsageError(
            f"this is done on this machine, for {LOCAL} and rehearsals (--emulated) only",
            hint=f"{stack} is monitored on its schedule, in its own cloud",
        )
