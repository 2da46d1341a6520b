"""What the monitoring of an endpoint finds in captured calls."""

from __future__ import annotations

import base64
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.runtime import captures, contract, drift, monitor_page, monitoring, quality

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
SINCE, EARLIER, LATER = "2026-03-02T10:00:00Z", "2026-03-02T09:30:00Z", "2026-03-02T10:30:00Z"


def line(
    rows: list[Any], said: list[Any], at: str = LATER, id_: str = "", encoding: str = "JSON"
) -> str:
    """A captured call as the platform writes it."""

    def body(text: str) -> str:
        return base64.b64encode(text.encode()).decode() if encoding == "BASE64" else text

    def part(content: Any) -> dict[str, str]:
        text = body(json.dumps(content))
        return {"observedContentType": JSON, "mode": "", "data": text, "encoding": encoding}

    about = {"eventId": "1", "inferenceTime": at} | ({"inferenceId": id_} if id_ else {})
    data = {
        "endpointInput": part({"instances": rows}),
        "endpointOutput": part({"predictions": said}),
    }
    return json.dumps({"captureData": data, "eventMetadata": about, "eventVersion": "0"})


def rows(count: int, seed: int, **shift: Any) -> list[dict[str, Any]]:
    """Projects; a column of `shift` has that value, or is left out where it is `...`."""
    drawn = random.Random(seed)
    found = []
    for _ in range(count):
        row = {
            "cost": round(drawn.gauss(100, 15), 3),
            "storeys": drawn.randint(1, 4),
            "region": drawn.choice(["north", "south", "west"]),
            "public": drawn.random() < 0.3,
        }
        row |= {name: value(row) if callable(value) else value for name, value in shift.items()}
        found.append({name: value for name, value in row.items() if value is not ...})
    return found


def said(row: dict[str, Any]) -> int:
    return int((row.get("storeys") or 1) > 2)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


class Job:
    """The folders of a job."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known = root / contract.PROCESSING_KNOWN
        settings = {"since": SINCE, "until": LATER, "variants": ["main"]}
        (self.known / "main").mkdir(parents=True)
        (self.known / contract.SETTINGS_FILE).write_text(json.dumps(settings))

    def reference(self, found: list[dict[str, Any]]) -> Job:
        kept = {"reference": {"rows": found, "predictions": [*map(said, found)]}}
        (self.known / "main" / contract.EXAMPLES_FILE).write_text(json.dumps(kept))
        return self

    def captured(self, *lines: str) -> Job:
        folder = self.root / contract.PROCESSING_CAPTURES / "main" / "2026/03/02/10"
        folder.mkdir(parents=True)
        (folder / "00-00-000-x.jsonl").write_text("\n".join(lines))
        return self

    def calls(self, found: list[dict[str, Any]], at: str = LATER) -> list[str]:
        return [line([row], [said(row)], at) for row in found]

    def run(self, *limits: tuple[str, str, float], **env: str) -> dict[str, Any]:
        gates = {
            f"{contract.GATE}{place:02}": json.dumps(
                {"metric": metric, "bound": bound, "value": value}
            )
            for place, (metric, bound, value) in enumerate(limits)
        }
        settings = {contract.ROOT_SETTING: str(self.root), **gates}
        assert monitoring.main(settings | {contract.PREFIX + k: v for k, v in env.items()}) == 0
        out = self.root / contract.PROCESSING_REPORT
        text = (out / contract.MONITOR_FILE).read_text()
        report: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
        assert (out / contract.MONITOR_PAGE).read_text() == monitor_page.page(report)
        found: dict[str, Any] = report["variants"]["main"]
        assert report["state"] == found["state"]
        return found


DRIFT = ("drift_psi", "at_most", 0.2)


def test_the_same_kind_of_rows_has_not_drifted(job: Job) -> None:
    job.reference(rows(5000, 1)).captured(*job.calls(rows(400, 2)))
    found = job.run(DRIFT)
    assert found["state"] == "kept"
    assert 0 < found["metrics"]["drift_psi"] < 0.1
    assert set(found["columns"]) == {"cost", "storeys", "region", "public"}
    assert set(found["predictions"]) == {"prediction"}


@pytest.mark.parametrize(
    ("shift", "column", "state"),
    [
        ({"cost": lambda row: row["cost"] * 1.3}, "cost", "compared"),
        ({"region": "east"}, "region", "compared"),
        ({"cost": None}, "cost", "compared"),
        ({"cost": ...}, "cost", "vanished"),
        ({"floor": 3}, "floor", "new"),
        ({"cost": "100"}, "cost", "mistyped"),
        ({"region": 4}, "region", "mistyped"),
        ({"storeys": lambda row: row["storeys"] if row["public"] else None}, "storeys", "compared"),
    ],
)
def test_what_moved_is_named(job: Job, shift: dict[str, Any], column: str, state: str) -> None:
    job.reference(rows(2000, 1)).captured(*job.calls(rows(400, 2, **shift)))
    found = job.run(DRIFT)
    assert found["state"] == "broken"
    assert found["columns"][column]["state"] == state
    assert f"must be at most 0.2: {column}" in found["broken"][0]
    if state != "compared":
        assert found["metrics"]["drift_psi"] >= drift.SCHEMA_BREACH


def test_one_caller_that_sends_another_kind_is_no_drift(job: Job) -> None:
    odd = rows(2, 3, cost="100", floor=1)
    job.reference(rows(2000, 1)).captured(*job.calls([*rows(400, 2), *odd]))
    found = job.run(DRIFT)
    assert found["state"] == "kept"
    assert "floor" not in found["columns"]


def test_infinite_numbers_are_left_out_and_counted(job: Job) -> None:
    infinite = [line([row | {"cost": math.inf}], [0]) for row in rows(3, 3)]
    missing = [line([row | {"cost": math.nan}], [0]) for row in rows(40, 4)]
    job.reference(rows(2000, 1)).captured(*job.calls(rows(400, 2)), *infinite, *missing)
    cost = job.run(DRIFT)["columns"]["cost"]
    assert cost["not_finite"] == [0, 3]
    assert cost["nulls"] == [0.0, pytest.approx(40 / 440, abs=1e-6)]


@pytest.mark.parametrize("captured", [False, True], ids=["nobody ever", "nobody since"])
def test_no_traffic_is_no_data_and_no_alarm(job: Job, captured: bool) -> None:
    job.reference(rows(500, 1))
    if captured:
        job.captured(*job.calls(rows(400, 2, cost=9999), EARLIER))
    found = job.run(DRIFT)
    assert (found["state"], found["metrics"], found["broken"]) == ("no data", {}, [])
    assert found["missing"] == {"drift_psi": "0 rows, fewer than 200"}


def test_few_calls_are_compared_together_with_those_before(job: Job) -> None:
    before, since = rows(500, 2, cost=lambda row: row["cost"] * 1.5), rows(10, 3)
    job.reference(rows(2000, 1)).captured(*job.calls(before, EARLIER), *job.calls(since))
    found = job.run(DRIFT)
    assert (found["calls"], found["rows"], found["state"]) == (10, 10, "broken")


def test_a_version_without_reference_has_no_drift(job: Job) -> None:
    job.captured(*job.calls(rows(300, 2)))
    assert job.run(DRIFT)["missing"] == {"drift_psi": "the version has no reference rows"}


def test_what_is_ignored_does_not_count(job: Job) -> None:
    job.reference(rows(900, 1, id=1)).captured(*job.calls(rows(300, 2, id=2)))
    assert job.run(DRIFT, IGNORED="id")["state"] == "kept"


def test_every_encoding_is_read_and_what_is_broken_is_counted(tmp_path: Path) -> None:
    csv = json.loads(line([], []))
    csv["captureData"]["endpointInput"] = {
        "observedContentType": CSV,
        "data": "cost,region\n1.5,north\n,south\n",
        "encoding": "CSV",
    }
    csv["captureData"]["endpointOutput"] = {
        "observedContentType": LINES,
        "data": '{"prediction": 1}\n{"prediction": 0}\n',
        "encoding": "JSON",
    }
    refused = json.loads(line([{"cost": 1}], [1]))
    refused["captureData"]["endpointOutput"]["data"] = '{"error": "no"}'
    texts = [
        line([{"cost": 1}], [1]),
        line([{"cost": 2}], [0], id_="p7", encoding="BASE64"),
        json.dumps(csv),
        '{"captureData": {"endpointInp',
        line([{"cost": 1}, {"cost": 2}], [1]),
        json.dumps(refused),
        "[]",
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(texts))
    first, second, third, *broken = captures.calls(tmp_path)
    assert first == captures.Call(LATER, "", [{"cost": 1}], [1])
    assert second == captures.Call(LATER, "p7", [{"cost": 2}], [0])
    assert third and third.rows == [
        {"cost": 1.5, "region": "north"},
        {"cost": None, "region": "south"},
    ]
    assert third.predictions == [1, 0]
    assert broken == [None] * 4


def test_outcomes_are_joined_by_key_or_by_the_calls_id(job: Job) -> None:
    known = job.root / contract.PROCESSING_DATA / "truth"
    known.mkdir(parents=True)
    calls = [line([{"project": n, "region": "north"}], [n % 2], EARLIER) for n in range(40)]
    calls += [line([{"region": "south"}], [1], id_=f"{n}") for n in range(40, 80)]
    truth = "".join(f"{n},{'True' if n % 4 == 1 else 'False'}\n" for n in range(60))
    (known / "a.csv").write_text(f"project,late\n{truth}99,\n")
    outcomes = {"dataset": "truth", "format": "csv", "key": "project", "target": "late"}
    job.captured(*calls)
    found = job.run(
        ("accuracy", "at_least", 0.9),
        ("recall", "at_least", 0.5),
        ("demographic_parity_difference", "at_most", 0.4),
        OUTCOMES=json.dumps(outcomes),
        SENSITIVE="region",
    )
    assert found["joined"] == 60
    assert found["metrics"]["accuracy"] == pytest.approx(35 / 60)
    assert found["metrics"]["recall"] == 1.0
    # Of the north nobody has called since, and so few have that those before count, too.
    assert found["broken"] == [
        "accuracy is 0.583333, must be at least 0.9",
        "demographic_parity_difference is 0.5, must be at most 0.4",
    ]


def test_few_outcomes_are_no_data(job: Job) -> None:
    (job.root / contract.PROCESSING_DATA).mkdir(parents=True)
    job.captured(*job.calls(rows(300, 2)))
    outcomes = {"dataset": "truth", "format": "csv", "key": "project", "target": "late"}
    found = job.run(("accuracy", "at_least", 0.9), OUTCOMES=json.dumps(outcomes))
    assert found["state"] == "no data"
    assert found["missing"]["accuracy"] == "0 outcomes, fewer than 30"


def test_outcomes_without_the_key_fail_with_what_is_there(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    known = job.root / contract.PROCESSING_DATA / "truth"
    known.mkdir(parents=True)
    (known / "a.csv").write_text("id,late\n1,1\n")
    outcomes = {"dataset": "truth", "format": "csv", "key": "project", "target": "late"}
    env = {contract.ROOT_SETTING: str(job.root), contract.OUTCOMES: json.dumps(outcomes)}
    assert monitoring.main(env) == 1
    said = capsys.readouterr().out
    assert "truth: a.csv, line 2 has no 'project' or no 'late'; it has id, late" in said


def test_groups_are_compared_by_their_rates() -> None:
    north = [("north", n < 20, n < 30) for n in range(60)]
    south = [("south", n < 20, n < 10) for n in range(60)]
    few = [("west", True, False)] * 5
    groups = quality.groups([(g, int(t), int(s)) for g, t, s in [*north, *south, *few]])
    assert sorted(groups) == ["north", "south"]
    assert quality.fairness("demographic_parity_difference", groups) == pytest.approx(20 / 60)
    assert quality.fairness("demographic_parity_ratio", groups) == pytest.approx(1 / 3)
    assert quality.fairness("equal_opportunity_difference", groups) == pytest.approx(0.5)
    # False positives: 10 of 40 in the north, none in the south.
    assert quality.fairness("equalized_odds_difference", groups) == pytest.approx(0.5)
    assert quality.fairness("equalized_odds_ratio", groups) == 0.0


def test_ids_and_free_text_are_compared_by_being_there_alone() -> None:
    was = [{"note": f"was {n}"} for n in range(400)]
    now = [{"note": f"now {n}" if n % 10 else None} for n in range(400)]
    found = drift.compare(was, now)["note"]
    assert found["bins"] == {"(null)": [0.0, 0.1], "(value)": [1.0, 0.9]}


def test_a_page_escapes_what_callers_send(job: Job) -> None:
    job.reference(rows(900, 1)).captured(*job.calls(rows(300, 2, **{"<script>": "<b>"})))
    job.run(DRIFT)
    text = (job.root / contract.PROCESSING_REPORT / contract.MONITOR_PAGE).read_text()
    assert "&lt;script&gt;" in text and "<script" not in text
    assert len(text) < 30_000
