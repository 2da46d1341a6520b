"""A toy program of three passes: make the new slot, switch the traffic to it, drop the old one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from programs import make_target

from mlops_iac.clouds.base import Before, Pass
from mlops_iac.engine.passes import Run, apply, joined, runs
from mlops_iac.engine.protocol import Engine, OnEvent, Plan, Result

PROGRAM = """
C = pulumi.Config()
new, old = C.require("version"), C.get("old")
live = C.get("live") or new
slots = {v: sns.Topic(f"slot{v}", name=f"slot{v}") for v in sorted({new, old or new})}
traffic = sqs.Queue("traffic", name="traffic", tags={"to": slots[live].arn})
# Known once it is done: what is known at once would be in the state before that.
done = pulumi.Output.all(traffic.id, *(slot.id for slot in slots.values()))
pulumi.export("live", done.apply(lambda _: live))
pulumi.export("old", done.apply(lambda _: old))
pulumi.export("pass", done.apply(lambda _: C.get("pass")))
"""


class Stack:
    """The program under an engine, deployed as the API does it. `waited` tells what was prepared."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self.engine = engine
        self.waited: list[str] = []
        self._outputs: Mapping[str, Any] | None = None
        make_target(folder, PROGRAM)

    def passes(self, version: str) -> list[Pass]:
        outputs = self.outputs()
        live = outputs.get("live") or version
        # Once the traffic is switched, the output that says what goes is all that knows the old one.
        old = outputs.get("old") or live
        wait = Before("waits until the slot answers", lambda _session, _outputs: None)
        return [
            Pass("slot", "make the slot", {"old": old, "live": live}),
            Pass("traffic", "switch the traffic", {"old": old}, (wait,)),
            Pass("end", "drop the old slot"),
        ]

    def runs(self, version: str) -> list[Run]:
        config = {"aws:region": "eu-west-1", "proj:version": version}
        return runs(make_target(self.folder, config=config), self.passes(version))

    def outputs(self) -> Mapping[str, Any]:
        """Asked for once after each deployment."""
        if self._outputs is None:
            self._outputs = self.engine.outputs(make_target(self.folder))
        return self._outputs

    def preview(self, version: str) -> Plan:
        several = self.runs(version)
        plans = self.engine.previews([run.target for run in several])
        return joined(several, plans, self.outputs())

    def up(self, version: str, on_event: OnEvent | None = None, plan: Plan | None = None) -> Result:
        """Apply `plan`, or what a preview says."""
        due = {step.during for step in (plan or self.preview(version)).changes}
        several = self.runs(version)
        self._outputs = None
        return apply(
            several,
            due,
            lambda run: self.engine.up(run.target, on_event=on_event),
            lambda before: self.waited.append(before.words),
            on_event,
        )


def told(plan: Plan | Result) -> list[tuple[str, str, str]]:
    """What changes of the resources themselves, as `(pass, operation, name)`."""
    return [
        (step.during, step.op, step.name)
        for step in plan.steps
        if step.op not in ("same", "create-replacement", "delete-replaced")
        and step.custom
        and not step.type.startswith("pulumi:")
    ]
