"""Several runs of one program that make up one deployment: each planned on what is left by the last.

What a cloud asks for in an order that one graph of resources cannot say (a slot, then its traffic,
then the end of the old one) is a sequence of ordinary runs, steered by configuration. A run that
changes nothing is left out. So nothing has to be kept of how far a deployment came: planned again,
the runs that it did have nothing to do. That it ended between two is said by the stack's output `pass`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mlops_iac.clouds.base import Before, Pass
from mlops_iac.engine.protocol import Event, OnEvent, Plan, Result, StackTarget, Step
from mlops_iac.values import Properties

PASS = "pass"  # noqa: S105 - a setting and an output


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the program. `words` are `2 of 3: traffic`, empty where it is the only one."""

    target: StackTarget
    words: str = ""
    name: str = ""
    before: Sequence[Before] = ()


def runs(target: StackTarget, passes: Sequence[Pass]) -> list[Run]:
    """The runs that bring a stack to what `target` says."""
    if len(passes) < 2:
        return [Run(target)]
    assert not passes[-1].config, "the last pass leaves what the stack's configuration says"
    found = []
    for number, each in enumerate(passes, 1):
        steering = {PASS: each.name, **each.config} if number < len(passes) else {}
        config = {f"{target.project}:{key}": value for key, value in steering.items()}
        found.append(
            Run(
                replace(target, config={**target.config, **config}),
                f"{number} of {len(passes)}: {each.title}",
                each.name,
                each.before,
            )
        )
    return found


def joined(runs: Sequence[Run], plans: Sequence[Plan], outputs: Properties) -> Plan:
    """One plan of all runs, each step with its run; `outputs` are the stack's before it."""
    due = [pair for pair in zip(runs, plans, strict=True) if pair[1].size]
    # The last one is run in any case: it settles outputs, components and providers.
    told = [*due, *([] if plans[-1].size else [(runs[-1], plans[-1])])]
    notes = [
        *_resumed(runs, due[0][0] if due else runs[-1], outputs),
        *(f"before {run.words}: {each.words}" for run, _ in due for each in run.before),
        *(note for plan in plans for note in plan.diagnostics),
    ]
    return replace(
        plans[-1],
        steps=_joined([replace(s, during=run.words) for run, plan in told for s in plan.steps]),
        diagnostics=tuple(dict.fromkeys(notes)),
        duration_seconds=sum(plan.duration_seconds for plan in plans),
        incomparable=tuple(name for plan in plans for name in plan.incomparable),
    )


def apply(
    runs: Sequence[Run],
    due: set[str],
    up: Callable[[Run], Result],
    prepare: Callable[[Before], None],
    on_event: OnEvent | None,
) -> Result:
    """Do the runs whose words are `due`, and the last one; the first that fails ends it."""
    results: list[Result] = []
    for run in runs:
        if run.words in due:
            for each in run.before:
                _tell(on_event, f"{run.words}: {each.words}")
                prepare(each)
        if run.words in due or run is runs[-1]:
            if run.words:
                _tell(on_event, run.words)
            results.append(up(run))
            if results[-1].failures:
                break
    if len(results) == 1:
        return results[0]
    return replace(
        results[-1],
        steps=_joined([step for result in results for step in result.steps]),
        duration_seconds=sum(result.duration_seconds for result in results),
    )


def _joined(steps: Sequence[Step]) -> list[Step]:
    """What happens, in order; what stays as it is throughout, once."""
    changes = [step for step in steps if step.op != "same"]
    changed = {step.urn for step in changes}
    stays = {step.urn: replace(step, during="") for step in steps if step.urn not in changed}
    return [*changes, *stays.values()]


def _resumed(runs: Sequence[Run], at: Run, outputs: Mapping[str, object]) -> list[str]:
    done = [run.words for run in runs[:-1] if run.name == outputs.get(PASS)]
    return [f"the last deployment ended after {done[0]}; resumes at {at.words}"] if done else []


def _tell(on_event: OnEvent | None, words: str) -> None:
    if on_event is not None:
        on_event(Event("note", message=words))
