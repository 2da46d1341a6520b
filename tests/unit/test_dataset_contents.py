"""What `validate` says of the files that a blueprint names: columns, names, links, numbers."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_iac import validate
from mlops_iac.blueprint.checks import samples
from mlops_iac.blueprint.folders import MOST_DATA_FILES
from tests.sagemaker_blueprints import PREDICT

TEXT = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
datasets:
  rows:
    source: data
    format: csv
    target: late
    checks: {distance: {at_least: 0}}
models:
  m:
    code: workload
    runtime: {framework: scikit-learn, version: 1.9}
    train: {script: train.py}
serving: {api: {mode: real-time}}
"""
GOOD = b"distance,late\n1,0\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("data/a.csv", "workload/train.py", ".git/HEAD"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(GOOD)
    (tmp_path / "workload/predict.py").write_text(PREDICT)
    return tmp_path


def said(project: Path, text: str = TEXT) -> list[str]:
    """`line path code: message; hint` of each diagnostic."""
    path = project / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return [f"{d.line} {d.path} {d.code}: {d.message}; {d.hint}" for d in validate(path)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"distance,lat\n1,0\n", "9 datasets.rows.target no-column: 'data/a.csv' has no column 'late'; did you mean 'lat'?"),
        (b"dist,late\n1,0\n", "10 datasets.rows.checks.distance no-column: 'data/a.csv' has no column 'distance'; did you mean 'dist'?"),
        (b"distance,late,late\n1,0,0\n", "9 datasets.rows.target same-column: 'data/a.csv' has the column 'late' more than once; pandas calls the second 'late.1'"),
        (b"", "7 datasets.rows.source bad-data: 'data/a.csv' is empty"),
        (b"\n \n", "7 datasets.rows.source bad-data: 'data/a.csv' is empty"),
        (b"distance,late\n\xe9,0\n", "7 datasets.rows.source bad-data: 'data/a.csv' is not UTF-8: byte 0xe9 in line 2"),
        ("distance,late\n".encode("utf-16"), "not UTF-8: byte 0xff in line 1; save it as UTF-8, which pandas reads; it may be UTF-16"),
        (b"distance,late\n1,0\n1,0,3\n", "is not read by pandas: line 3 has 3 fields"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a pointer of Git LFS, not the data; `git lfs pull`"),
    ],
)  # fmt: skip
def test_a_file_of_a_folder_is_wrong(project: Path, content: bytes, sentence: str) -> None:
    (project / "data/b.csv").write_bytes(GOOD)
    (project / "data/a.csv").write_bytes(content)
    (found,) = said(project)
    assert sentence in found


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"1,0\n2,1\n", "write a header above"),
        (b"distance;late\n1;0\n", "separated by ';'"),
        (b"hunter2: [\n", "; it has one column"),
        (b"a,b\n", "; there is: a and b"),
    ],
)
def test_why_no_column_is_found_is_told(project: Path, content: bytes, hint: str) -> None:
    (project / "data/a.csv").write_bytes(content)
    assert [hint in each for each in said(project)] == [True, True]


def test_every_field_that_names_a_column_is_looked_for(project: Path) -> None:
    text = TEXT.replace("    checks", "    time: at\n    sensitive: [late, sex]\n    checks")
    text += "features: {f: {entity: id, time: since, fields: {age: float}}}\n"
    text = text.replace("real-time}", "real-time, monitor: {outcomes: {key: order}}}")
    missing = [each.split()[1] for each in said(project, text) if "no-column" in each]
    assert missing == [
        *("datasets.rows.time", "datasets.rows.sensitive[1]", "serving.api.monitor.outcomes.key"),
        *("features.f.entity", "features.f.time", "features.f.fields.age"),
    ]


@pytest.mark.parametrize(
    ("name", "format_", "content", "sentence"),
    [
        ("a.jsonl", "json", b'{"distance": 1}\n\n{"distance": 2}\n', "'data/a.jsonl' has no column 'late'"),
        ("a.json", "json", b'[{"distance": 1}, {"x": {}}]', "'data/a.json' has no column 'late'"),
        ("a.json", "json", b'{"distance": 1}', "is not a list of objects"),
        ("a.csv.gz", "csv", gzip.compress(b"distance\n1\n", mtime=0), "'data/a.csv.gz' has no column 'late'"),
        ("a.csv.gz", "csv", b"distance\n1\n", "is not compressed by gzip"),
        ("a.parquet", "parquet", b"distance\n1\n", "is no parquet file"),
        ("a.txt", "csv", GOOD, "'data' has no file that ends in .csv or .csv.gz"),
    ],
)  # fmt: skip
def test_formats(project: Path, name: str, format_: str, content: bytes, sentence: str) -> None:
    (project / "data/a.csv").unlink()
    (project / "data" / name).write_bytes(content)
    (found,) = said(project, TEXT.replace("format: csv", f"format: {format_}"))
    assert sentence in found


def test_only_the_beginning_of_a_large_file_is_read(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project / "data/a.csv"
    with path.open("ab") as file:
        file.truncate(200 * 1024**2)  # a sparse file: the rest is zeros
    read: list[int] = []

    class Counting:
        def __init__(self, path: Path, mode: str) -> None:
            self.file = open(path, mode, buffering=0)  # noqa: PTH123, SIM115

        def __enter__(self):  # type: ignore[no-untyped-def]
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def read(self, most: int) -> bytes:
            data = self.file.read(most)
            read.append(len(data))
            return data

    monkeypatch.setattr(samples, "open", Counting, raising=False)
    said(project)
    assert 0 < sum(read) <= samples.SAMPLE_BYTES + 1


def test_of_many_files_the_first_and_the_last_are_opened(project: Path) -> None:
    for number in range(20):
        (project / f"data/{number:02}.csv").write_bytes(b"" if number == 10 else GOOD)
    assert said(project) == []
    (project / "data/z.csv").write_bytes(b"distance\n")
    (found,) = said(project)
    assert "'data/z.csv' has no column 'late'" in found


def _bytes_name(project: Path, folder: str) -> None:
    (project / folder / os.fsdecode(b"caf\xe9.png")).touch()


ODD: list[tuple[Callable[[Path, str], object], str]] = [
    (_bytes_name, r"bad-file: the name of FOLDER/caf\xe9.png is not UTF-8; rename it"),
    (lambda p, f: (p / f / "a\nb").touch(), "the name of FOLDER/a b has a control character"),
    (lambda p, f: (p / f / "x").symlink_to("x"), "FOLDER/x is no regular file but a link that leads nowhere"),
    (lambda p, f: (p / f / "x").symlink_to("."), "FOLDER/x is a link to a folder"),
    (lambda p, f: (p / f / "x").symlink_to("../blueprint.yaml"), "FOLDER/x is a link that leads out"),
    (lambda p, f: os.mkfifo(p / f / "x"), "FOLDER/x is no regular file"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "sentence"), ODD)
@pytest.mark.parametrize(("folder", "line"), [("data", 7), ("workload", 13)])
def test_what_cannot_be_uploaded_is_told_at_the_folder(
    project: Path, folder: str, line: int, make: Callable[[Path, str], object], sentence: str
) -> None:
    make(project, folder)
    (found,) = said(project)
    assert found.startswith(f"{line} ")
    assert sentence.replace("FOLDER", folder) in found


def test_a_folder_of_images_is_a_dataset_without_what_is_hidden(project: Path) -> None:
    text = TEXT.replace("    format: csv\n", "    format: images\n").split("    checks")[0]
    text += TEXT[TEXT.index("models:") :]
    (project / "data/.DS_Store").touch()
    (project / "data/.hidden").symlink_to("nowhere")
    assert said(project, text) == []
    (project / "data/a.csv").unlink()
    (found,) = said(project, text)
    assert "empty-folder: there is no file in 'data'; names that begin with a dot" in found
    for number in range(MOST_DATA_FILES + 1):
        (project / f"data/{number}.png").touch()
    (found,) = said(project, text)
    assert f"too-many-files: 'data' has more than {MOST_DATA_FILES} files" in found
    assert "s3://" in found


@pytest.mark.parametrize(
    ("call", "closed", "told"),
    [
        ("open", "workload/train.py", ["13 models.m.code bad-file: workload/train.py cannot be read: Permission denied"]),
        ("open", "data/a.csv", ["7 datasets.rows.source bad-file: data/a.csv cannot be read: Permission denied"]),
        ("stat", "data", ["7 datasets.rows.source bad-file: 'data' cannot be read: Permission denied"]),
        ("stat", "workload/.git", []),
    ],
)  # fmt: skip
def test_what_nobody_may_open_is_told_where_it_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, call: str, closed: str, told: list[str]
) -> None:
    real = getattr(os, call)

    def refusing(path: object, *rest: object, **options: object) -> object:
        if str(path) == str(project / closed):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *rest, **options)

    monkeypatch.setattr(os, call, refusing)
    assert [each.partition(";")[0] for each in said(project)] == told


def test_a_script_in_a_folder_that_cannot_be_read_is_not_told_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat

    def refusing(path: object, *rest: object, **options: object) -> object:
        if str(path).startswith(str(project / "workload") + os.sep):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *rest, **options)

    monkeypatch.setattr(os, "stat", refusing)
    (told,) = said(project)
    assert told.startswith("13 models.m.code bad-file: workload/predict.py cannot be read")


@pytest.mark.parametrize(
    ("format_", "content", "broken"),
    [
        ("csv", b"distance,late\nfar,0\n,1\nnear,1\n", True),
        ("csv", b"distance,late\nfar,0\n2,1\n", False),
        ("csv", b"distance,late\n,0\n", False),
        ("json", b'{"distance": "far", "late": 0}\n', True),
        ("json", b'{"distance": "2", "late": 0}\n', False),
    ],
)
def test_a_bound_on_words_is_told(
    project: Path, format_: str, content: bytes, broken: bool
) -> None:
    (project / "data/a.csv").rename(
        project / f"data/a.{format_}l"[: -1 if format_ == "csv" else None]
    )
    next((project / "data").iterdir()).write_bytes(content)
    found = said(project, TEXT.replace("format: csv", f"format: {format_}"))
    assert [each.split(":")[0] for each in found] == (
        ["10 datasets.rows.checks.distance no-numbers"] if broken else []
    )


def test_an_argument_of_every_script_is_told_once(project: Path) -> None:
    (told,) = said(project, TEXT.replace("train: {", "train: {hyperparameters: {data: 5}, "))
    assert told.startswith("15 models.m.train.hyperparameters.data unsupported")


def test_a_model_of_no_dataset_is_told_which_there_are(project: Path) -> None:
    (told,) = said(project, TEXT.replace("    code:", "    datasets: []\n    code:"))
    assert told.startswith("13 models.m.datasets missing: models.m needs 'datasets'")
    assert told.endswith("there is: rows")


def test_a_script_that_is_no_python_is_mended_at_its_line(project: Path) -> None:
    (project / "workload/predict.py").write_text(f"{PREDICT}def (\n")
    (told,) = said(project)
    assert "predict.py, line" in told
    assert told.endswith("; correct that line")
