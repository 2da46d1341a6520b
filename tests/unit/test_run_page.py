"""The page of a run: what it tells, and that nothing in it is obeyed."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.pipeline.run_record import RunRecord, StepRecord
from mlops_iac.pipeline.run_report import InService, write_report
from mlops_iac.pipeline.steps import Check, Dataset, Lifecycle, Limit, Range, Register, Train, Tune
from mlops_iac.records import replace
from mlops_iac.runtime import contract, quality, run_facts
from mlops_iac.runtime.run_page import Measure, RunPage, StepTaken, to_html

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=y>\u202e"
TUNE = Tune(
    Train("train.py"), "grid", "f1", "maximize", 2, 1, {"depth": Range("values", values=("3", "9"))}
)
LIFE = Lifecycle(
    "churn",
    (
        Dataset(
            "orders", "csv", checks=(Check("orders", "age", {"not_null": True, "at_least": 0}),)
        ),
    ),
    ("accuracy",),
    None,
    TUNE,
    None,
    (Limit("accuracy", "at_least", 0.8), Limit("latency", "at_most", 5)),
    Register(),
)


class Read(HTMLParser):
    """The text of a page by line, and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell:
            self.rows[-1][-1] += data.strip()


def record(**more: Any) -> RunRecord:
    trials = [
        {"number": 1, "trial": {"depth": "3"}, "value": 0.7},
        {"number": 2, "trial": {"depth": "9"}, "value": 0.9},
    ]
    tuned = StepRecord("Tune", "Training", "succeeded", seconds=3.0)
    tuned.properties = {"trials": trials, "best": 2}
    tuned.cpu_seconds, tuned.peak_bytes = 5.5, 200_000_000
    found = RunRecord("20260101", "churn", "", "2026-01-01", "registered", steps={"Tune": tuned})
    found.metrics, found.hyperparameters = {"accuracy": 0.75, "latency": 4.0}, {"rate": 0.1}
    found.given, found.registered = {"rate": "0.1"}, "arn:aws:x/churn/7"
    for name, value in more.items():
        setattr(found, name, value)
    return found


def written(folder: Path, found: RunRecord, served: InService | None = None) -> Read:
    write_report(folder, found, LIFE, served, "# Card")
    return Read((folder / "report.html").read_text(encoding="utf-8"))


def test_numbers_stand_against_limits_and_the_version_in_service(tmp_path: Path) -> None:
    served = InService("churn/6", {"accuracy": 0.8}, {"rate": 0.2, "depth": "9"})
    page = written(tmp_path, record(), served)
    assert ["accuracy", "0.75", "at least 0.8", "missed", "0.8", "-0.05"] in page.rows
    assert ["latency", "4", "at most 5", "holds", "–", "–"] in page.rows
    assert ["rate", "0.1", "0.2", "of this run alone (--set), changed"] in page.rows
    assert ["depth", "9", "9", ""] in page.rows
    assert page.rows[page.rows.index(["trial", "f1", "depth"]) + 1] == ["2kept", "0.9", "9"]
    assert ["orders.age: not null, at least 0", "holds"] in page.rows
    assert ["Tune", "succeeded", "3.0", "5.5", "200 MB"] in page.rows
    assert "churn/7" in page.text
    assert "# Card" in page.text


def test_without_a_version_in_service_there_is_no_comparison(tmp_path: Path) -> None:
    page = written(tmp_path, record())
    assert ["accuracy", "0.75", "at least 0.8", "missed"] in page.rows
    assert "No version is in service" in page.text


def test_a_failed_step_stands_first_with_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "Tune").mkdir()
    (tmp_path / "Tune" / "log.txt").write_text("".join(f"line {n}\n" for n in range(9_000)))
    failed = StepRecord("Tune", "Training", "failed", error="no such column")
    page = written(tmp_path, record(status="failed", steps={"Tune": failed}))
    assert "line 8999" in page.text
    assert "line 8979" not in page.text
    assert page.text.index("no such column") < page.text.index("Metrics")


@pytest.mark.parametrize("size", [1000, 3_000_000])
def test_pictures_are_in_the_page_as_far_as_there_is_room(tmp_path: Path, size: int) -> None:
    folder = tmp_path / "Evaluate" / "report"
    folder.mkdir(parents=True)
    (folder / "matrix.png").write_bytes(b"x" * size)
    (tmp_path / "Train" / "opt").mkdir(parents=True)
    (tmp_path / "Train" / "opt" / "left.png").write_bytes(b"x")
    page = written(tmp_path, record())
    pictures = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == (size < 2_000_000)
    assert all(each.startswith("data:image/png;base64,") for each in pictures)
    assert ("Not shown: Evaluate/report/matrix.png (3.0 MB)" in page.text) == (size > 2_000_000)


def test_all_pictures_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_facts, "_ALL", 25)
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(b"x" * 10)
    page = written(tmp_path, record())
    assert [tag for tag, _ in page.tags].count("img") == 2
    assert "Not shown: c.png" in page.text


def test_nothing_that_a_script_says_is_obeyed() -> None:
    def evil(kind: str) -> Any:
        if kind.startswith("Sequence[Measure"):
            return [Measure(EVIL, 1.0, EVIL, True, 2.0)]
        if kind.startswith("Sequence[StepTaken"):
            return [StepTaken(EVIL, EVIL, 1.0, error=EVIL, log=[EVIL])]
        if kind.startswith("Sequence[Mapping"):
            return [{"number": 1, "value": 0.5, "trial": {EVIL: EVIL}}]
        if kind.startswith("Sequence[tuple[str, bool"):
            return [(EVIL, True)]
        if kind.startswith("Sequence[tuple"):
            return [(EVIL, EVIL)]
        if kind.startswith("Mapping[str, tuple"):
            return {EVIL: (EVIL, EVIL)}
        if kind.startswith("Mapping"):
            return {EVIL: EVIL}
        return {"int": 1, "str": EVIL}.get(kind, [EVIL])

    fields = {each.name: evil(str(each.type)) for each in dataclasses.fields(RunPage)}
    column = {"kind": EVIL, "missing": 0.0, "low": 1.0}
    fields["data"] = {EVIL: {"rows": 1, "all": True, "columns": {EVIL: column}}}
    fields["data_served"] = {EVIL: {"rows": 2, "all": True, "columns": {EVIL * 2: column}}}
    groups = {EVIL: dict.fromkeys(("rows", *quality.RATES), 0.5), "b": {}}
    groups["b"] = groups[EVIL]
    fields["judged"] = {
        "rows": 1, "classes": [EVIL], "matrix": [[1]], "groups": {EVIL: groups}
    }  # fmt: skip
    text = to_html(RunPage(**fields))
    page = Read(text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "a", "iframe", "form", "link"})
    assert all(not name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "\u202e" not in text
    assert text.count("&lt;script&gt;") > 20
    (policy,) = (a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert "default-src 'none'" in str(policy)
    assert not re.search(r"(?:src|href)=\"(?!data:|&lt;)", text)


def test_what_an_evaluation_predicted_is_a_matrix_and_its_groups(tmp_path: Path) -> None:
    folder = tmp_path / "Evaluate" / "report"
    folder.mkdir(parents=True)
    rows = [("north", 1, 0.9)] * 30 + [("south", 1, 0.2)] * 10 + [("south", 0, 0.7)] * 30
    rows += [("westerly", 0, 0.1)]  # too few to say anything
    lines = [json.dumps({"truth": t, "prediction": p, "region": g}) for g, t, p in rows]
    (folder / contract.PREDICTIONS_FILE).write_text("\n".join(lines), encoding="utf-8")
    page = written(tmp_path, record())
    head = page.rows.index(["true, and predicted as", "0", "1"])
    assert page.rows[head + 1 : head + 3] == [["0", "1", "30"], ["1", "10", "30"]]
    assert ["north", "30", "100.0%", "100.0%", "0.0%"] in page.rows
    assert ["south", "40", "75.0%", "0.0%", "100.0%"] in page.rows
    assert ["demographic_parity_difference", "0.25"] in page.rows
    assert "westerly" not in page.text


@pytest.mark.parametrize("line", ['{"truth": 1}', "[1]", "no JSON"])
def test_predictions_in_another_form_are_told_in_the_log_and_left_out(
    tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / contract.PREDICTIONS_FILE).write_text(line, encoding="utf-8")
    assert run_facts.judged(tmp_path) == {}
    assert "predictions.jsonl is not shown: " in capsys.readouterr().out


def test_numbers_and_many_classes_have_no_matrix(tmp_path: Path) -> None:
    for values in ([1.5, 2.5], list(range(100))):
        lines = [json.dumps({"truth": each, "prediction": each}) for each in values]
        (tmp_path / contract.PREDICTIONS_FILE).write_text("\n".join(lines), encoding="utf-8")
        assert run_facts.judged(tmp_path) == {"rows": len(values)}


def test_a_profile_has_the_columns_of_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("age,name,joined\n3,x,\n1,,2026-01-01\n8,y,2026-01-02\n")
    assert run_facts.profile(tmp_path) == {
        "rows": 3,
        "all": True,
        "columns": {
            "age": {"kind": "integer", "missing": 0.0, "low": 1.0, "median": 3.0, "high": 8.0},
            "name": {"kind": "text", "missing": 0.333333},
            "joined": {"kind": "text", "missing": 0.333333},
        },
    }
    (tmp_path / "a.csv").write_text("a\n1,2,3\n1,2,3,4\n")
    assert run_facts.profile(tmp_path) == {}
    assert run_facts.profile(tmp_path / "nowhere") == {}


def test_what_has_changed_since_the_version_in_service_is_told(tmp_path: Path) -> None:
    def trained(rows: int, pandas: str, *columns: str) -> dict[str, Any]:
        known = {each: {"kind": "number", "missing": rows / 1000} for each in columns}
        data = {"orders": {"rows": rows, "all": True, "columns": known}}
        return {"python": "3.12.1", "packages": {"pandas": pandas}, "data": data}

    (tmp_path / "Tune" / "002").mkdir(parents=True)
    now = json.dumps(trained(200, "3.0", "age", "region"))
    (tmp_path / "Tune" / "002" / contract.VERSIONS_FILE).write_text(now, encoding="utf-8")
    page = written(
        tmp_path, record(), InService("churn/6", trained=trained(100, "2.9", "age", "x"))
    )
    said = page.text.partition("Changed since churn/6, in service")[2].partition("Hyper")[0]
    assert "".join(said.split("\n")) == (
        "orders: 100 → 200 rowsorders.region is neworders.x is gone"
        "orders.age: missing 0.1 → 0.2pandas: 2.9 → 3.0"
    )
    assert ["age", "number", "20.0%", "", "", ""] in page.rows


def test_a_page_of_nothing_is_a_page(tmp_path: Path) -> None:
    life = replace(LIFE, training=Train("train.py"), datasets=(), gates=())
    write_report(tmp_path, RunRecord("1", "churn", "", "2026-01-01", "failed"), life, None, "")
    assert "failed" in Read((tmp_path / "report.html").read_text()).text
