"""A component that comes or goes as a whole is one line of a plan and one row of a comment."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from mlops_iac.api.compare.reviews import Reviewed
from mlops_iac.cli._plan import plan_lines
from mlops_iac.cli._progress import Board, event_line, failed_words, progress
from mlops_iac.cli._review import review_lines
from mlops_iac.cli._session import Session
from mlops_iac.engine.preview_json import to_pulumi_json
from mlops_iac.engine.protocol import Event
from mlops_iac.graph.plan import Plan, Step
from mlops_iac.review.markdown import to_markdown
from mlops_iac.review.model import Cause
from tests.unit.review_samples import review, reviewed, step

NEW = [step("create", "Bucket", f"data-{name}", of="data") for name in "abcd"]
NEW += [step("create", "RolePolicy", f"data-{name}-policy", of="data") for name in "abcd"]
GROWN = [
    step("create", "Bucket", "models-new", of="models"),
    step("same", "Bucket", "models-old", of="models"),
]
SINGLE = step("create", "Bucket", "alone", of="one")
LISTED = "(--diff lists every resource)"


def unstyled(text: str, **_: object) -> str:
    return text


def plan(*steps: Step) -> Plan:
    return Plan("local", "churn", "embedded", "state", steps)


def lines(*steps: Step, **options: Any) -> list[str]:
    shown = {"unchanged": False, "detail": False, **options}
    return list(plan_lines(plan(*steps), unstyled, **shown))


def test_a_new_component_is_one_line_with_counts_and_a_grown_one_is_listed() -> None:
    first, *rest = lines(*NEW, *GROWN, SINGLE)
    assert first.startswith("+ ")
    assert first.endswith(" data: 8 (s3.Bucket ×4, iam.RolePolicy ×4)")
    assert rest[1] == "  + s3.Bucket/models-new"
    assert rest[2].endswith(" one: s3.Bucket/alone")
    assert rest[3:] == [LISTED, "", "+10 create · ~0 update · ±0 replace · −0 delete · 1 unchanged"]


def test_every_resource_is_listed_where_that_is_asked_for() -> None:
    listed = lines(*NEW, detail=True)
    assert sum("data-" in line for line in listed) == 8
    assert LISTED not in listed


def test_what_goes_is_listed_but_where_everything_is_to_go() -> None:
    gone = [replace(each, op="delete") for each in NEW]
    gone[0] = replace(gone[0], protect=True)
    gone[1] = replace(gone[1], retained=True)
    assert sum("data-" in line for line in lines(*gone)) == 8
    first, *_ = lines(*gone, fold=("delete",))
    # What is not deleted like the others is told all the same.
    assert first.endswith("iam.RolePolicy ×4)  [1 protected; 1 kept in the cloud (retainOnDelete)]")


def test_what_is_kept_is_not_called_deleted() -> None:
    kept = replace(SINGLE, op="delete", retained=True)
    _, listed, *_ = lines(kept)
    assert listed.endswith("s3.Bucket/alone  [kept in the cloud (retainOnDelete)]")
    session = Session(color="never", verbose=True)
    told = [event_line(Event(kind, kept), session) for kind in ("start", "done")]
    assert told == ["  keeping s3.Bucket/alone", "− kept in the cloud: s3.Bucket/alone (0.0s)"]


def test_a_review_keeps_the_lines_that_cause_a_new_component() -> None:
    cause = Cause("serving.api", "blueprint.yaml", 41)
    made = review(*(reviewed(each, cause) for each in NEW))
    told = [*review_lines(Reviewed(made, plan(*NEW)), unstyled, unchanged=False, detail=False)]
    assert told[0].endswith(" data: 8 (s3.Bucket ×4, iam.RolePolicy ×4)")
    assert told[1].strip().startswith("← blueprint.yaml:41 serving.api")
    assert told[2] == LISTED


def test_a_review_of_a_replacement_shows_it_once() -> None:
    half = replace(SINGLE, op="create-replacement")
    other = replace(SINGLE, op="delete-replaced")
    whole = replace(SINGLE, op="replace")
    steps = [reviewed(each) for each in (half, whole, other)]
    told = [
        *review_lines(
            Reviewed(review(*steps), plan(half, whole, other)),
            unstyled, unchanged=False, detail=False,
        )
    ]  # fmt: skip
    assert sum("s3.Bucket/alone" in line for line in told) == 1


def test_a_comment_has_one_row_for_a_new_component_and_its_resources_in_the_details() -> None:
    made = review(*(reviewed(each) for each in (*NEW, *GROWN)))
    table = [line for line in to_markdown(made).splitlines() if line.startswith("| +")]
    assert len(table) == 2
    assert "| 8 resources: `s3.Bucket` ×4, `iam.RolePolicy` ×4 | new |" in table[0]
    assert "models" in table[1]


def test_one_reason_of_many_failures_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(Session(color="never"), plan(*NEW)) as tell:
        for each in NEW:
            tell(Event("failed", each, "nobody answers"))
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "✗ s3.Bucket/data-a: nobody answers"
    assert len(rest) == 7
    assert all(line.endswith(": as above") for line in rest)


@pytest.mark.parametrize("quiet", [False, True])
def test_a_failure_is_told_when_it_happens_and_named_at_the_end(quiet: bool) -> None:
    session = Session(color="never", quiet=quiet)
    failed = Event("failed", SINGLE, "the name is taken")
    skipped = [Event("skipped", each, "depends on alone") for each in NEW]
    told = [event_line(each, session) for each in (failed, *skipped)]
    assert told == ["✗ s3.Bucket/alone: the name is taken", *[""] * 8]
    # Where nothing was told, the end is all there is.
    words = "alone: the name is taken" if quiet else "alone"
    assert failed_words(session, {SINGLE.urn: "the name is taken"}) == words


def test_the_live_view_counts_what_was_skipped() -> None:
    board = Board(plan(SINGLE, *NEW, *GROWN))
    for each in (SINGLE, GROWN[0]):
        board.take(Event("failed", each, "the name is taken"))
    for each in NEW:
        board.take(Event("skipped", each, "depends on alone"))
    shown = Console(file=io.StringIO(), width=120)
    shown.print(board.draw())
    assert isinstance(shown.file, io.StringIO)
    text = shown.file.getvalue()
    assert text.count("the name is taken") == 1
    assert "models-new: as above" in text
    assert "8 skipped" in text
    assert "depends on alone" not in text


def test_passes_stand_one_below_the_other_in_words_in_a_comment_and_as_json() -> None:
    slot, traffic = "1 of 2: make the slot", "2 of 2: switch the traffic"
    steps = [
        replace(step("create", "Bucket", "new", of="api"), during=slot),
        replace(step("update", "Bucket", "old", of="api"), during=traffic),
        replace(step("delete", "Bucket", "new", of="api"), during=traffic),
        step("same", "Bucket", "other", of="data"),
    ]
    assert lines(*steps, unchanged=True)[:10:3] == [slot, traffic, "  − s3.Bucket/new", ""]
    shown = [reviewed(each) for each in steps]
    text = to_markdown(review(*shown))
    assert text.index(f"in {slot}") < text.index(f"in {traffic}")
    told = list(
        review_lines(
            Reviewed(review(*shown), plan(*steps)), unstyled, unchanged=False, detail=False
        )
    )
    assert [line for line in told if line in (slot, traffic)] == [slot, traffic]
    document = to_pulumi_json(plan(*steps))["steps"]
    assert [each.get("pass") for each in document] == [slot, traffic, traffic, None]
