"""Which page is meant, of those on this machine and of those in a stack's cloud."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_iac.api.models import run_pages
from mlops_iac.api.models.run_pages import page
from mlops_iac.clouds.operations import Page
from mlops_iac.errors import UsageError

OUTPUTS = {"churn_pipeline": "churn-training", "my_api_monitoring_pipeline": "my-api-runs"}


def project(folder: Path, found: Callable[..., Page | None] = lambda *_: None) -> Any:
    blueprint = SimpleNamespace(models={"base": None, "churn": None}, serving=["my-api"], moved={})
    return SimpleNamespace(
        emulator=folder,
        work=folder,
        emulates=lambda stack: stack == "local",
        resolve=lambda _: SimpleNamespace(blueprint=blueprint),
        operations=SimpleNamespace(page=found),
    )


def left(folder: Path, below: str) -> Path:
    path = folder / below
    path.parent.mkdir(parents=True)
    path.write_text("page")
    return path


def test_the_last_page_is_meant_where_no_run_is_named(tmp_path: Path) -> None:
    report = "processing/output/report/monitor.html"
    left(tmp_path, f"runs/20260101-1/Measure/{report}")
    last = left(tmp_path, f"runs/20260102-1/Measure/{report}")
    assert page(project(tmp_path), "monitor", "local", None).path == last
    assert page(project(tmp_path), "monitor", "local", "20260101").run == "20260101-1"
    with pytest.raises(UsageError, match="2 begin with 2026"):
        page(project(tmp_path), "monitor", "local", "2026")
    with pytest.raises(UsageError, match="no run has left a page here"):
        page(project(tmp_path), "run", "local", None)


@pytest.mark.parametrize(
    ("what", "pipeline", "file"),
    [("run", "churn-training", "report.html"), ("monitor", "my-api-runs", "monitor.html")],
)
def test_a_page_in_the_cloud_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: Any, pipeline: str, file: str
) -> None:
    deployment = SimpleNamespace(outputs=lambda: OUTPUTS)
    monkeypatch.setattr(run_pages, "Deployment", lambda *_: nullcontext(deployment))
    monkeypatch.setattr(run_pages, "session", lambda *_: None)

    def found(*asked: Any) -> Page | None:
        assert asked == (pipeline, None, file, "ab")
        return Page("abc", f"s3://x/{file}", b"the page")

    got = page(project(tmp_path, found), what, "prod", "ab")
    assert (got.run, got.place) == ("abc", f"s3://x/{file}")
    assert got.path == tmp_path / "pages" / "prod" / f"abc-{file}"
    assert got.path.read_bytes() == b"the page"
    with pytest.raises(UsageError, match=f"no {what} ab of prod has left a page in its cloud"):
        page(project(tmp_path), what, "prod", "ab")
