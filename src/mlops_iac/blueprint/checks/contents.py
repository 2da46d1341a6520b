"""What lies in code folders and datasets: files that can be uploaded, and columns that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.checks.files import kind_of
from mlops_iac.blueprint.folders import MOST_DATA_FILES, escaped, files_of, is_hidden, the_file
from mlops_iac.blueprint.reach import Outside
from mlops_iac.blueprint.words import join, listed, nearest, one_line
from mlops_iac.errors import Severity, UsageError

if TYPE_CHECKING:
    from mlops_iac.blueprint.checks.samples import Sample
    from mlops_iac.blueprint.sections.datasets import Dataset

_LOOKED_AT = 8  # files of a folder: the first and the last by name
_CALLED = 60  # characters of a column's name in a message


def check_contents(check: Check) -> None:
    """Every code folder, and every dataset that is uploaded."""
    for name, model in check.blueprint.models.items():
        if model.code and kind_of(check, model.code) == "folder":
            _files(check, f"models.{name}.code", model.code)
    for name, dataset in check.blueprint.datasets.items():
        if dataset.source is not None and dataset.is_local:
            _dataset(check, name, dataset, dataset.source)


def _files(check: Check, at: str, text: str, dataset: Dataset | None = None) -> list[Path] | None:
    """The files below a folder, or the one file; None where they cannot be uploaded, which is told."""
    found = check.seen.folders.get((text, dataset is None))
    if found is None:
        try:
            root = check.resolved.file(text)
            if dataset is None:
                from mlops_iac.blueprint.leaving import Leaving

                found = files_of(root, text, "code folder", skipped=Leaving(root).why)
            elif kind_of(check, text) == "file":
                found = the_file(root, text)
            else:
                found = files_of(root, text, "dataset", skipped=is_hidden, most=MOST_DATA_FILES)
        except Outside:
            return None  # told where paths are checked
        except UsageError as error:
            found = error
        check.seen.folders[text, dataset is None] = found
    if isinstance(found, UsageError):
        check.report(at, "bad-file", found.message, found.hint)
        return None
    return found


def _dataset(check: Check, name: str, dataset: Dataset, source: str) -> None:
    at = f"datasets.{name}.source"
    if kind_of(check, source) not in ("file", "folder"):
        return  # told where paths are checked
    found = _files(check, at, source, dataset)
    if found is None:
        return
    if kind_of(check, source) == "folder":
        if len(found) > MOST_DATA_FILES:
            check.report(
                at,
                "too-many-files",
                f"'{source}' has more than {MOST_DATA_FILES:,} files, each of which would be a "
                "resource of the stack",
                "upload them yourself and name the place (`s3://…`), or pack them into fewer files",
            )
            return
        if not found:
            check.report(
                at,
                "empty-folder",
                f"there is no file in '{source}'",
                "names that begin with a dot are left out",
            )
            return
    if check.seen.data and dataset.format in ("csv", "json", "parquet"):
        _columns(check, name, dataset, source, found)


def _columns(check: Check, name: str, dataset: Dataset, source: str, found: list[Path]) -> None:
    from mlops_iac.blueprint.checks.samples import sample
    from mlops_iac.runtime.rows import SUFFIXES, is_of

    at, format_ = f"datasets.{name}.source", dataset.format or ""
    # Rows are read before a script is when something is demanded of them, and only then.
    reads_rows = bool(dataset.checks or dataset.window_days is not None)
    files = [path for path in found if is_of(path.name, format_)]
    if not files:
        if reads_rows or len(found) > 1:
            check.report(
                at,
                "no-data",
                f"'{source}' has no file that ends in {listed(SUFFIXES[format_], 'or')}",
                "rename what is there, or correct 'format'",
            )
            return
        files = found
    if len(files) > _LOOKED_AT:
        files = files[: _LOOKED_AT // 2] + files[-_LOOKED_AT // 2 :]
    root = check.resolved.file(source)
    samples: list[tuple[str, Sample]] = []
    for path in files:
        shown = source if path == root else f"{source.rstrip('/')}/{path.relative_to(root)}"
        known = check.seen.samples.get((path, format_))
        if known is None:
            known = check.seen.samples[path, format_] = sample(path, format_)
        samples.append((escaped(shown), known))
    named = list(_named(check, name, dataset))
    for shown, each in samples:
        if each.problem and (named or reads_rows or each.is_empty):
            severity: Severity = "error" if reads_rows or each.is_empty else "warning"
            check.report(at, "bad-data", f"'{shown}' {each.problem}", each.hint, severity)
            return  # of files that are wrong, the first
    for place, column, at_key in named:
        _column(check, place, column, at_key, samples)
    for column, limits in dataset.checks.items():
        if limits.at_least is not None or limits.at_most is not None:
            _bounded(check, join(f"datasets.{name}.checks", column), column, samples)


def _bounded(check: Check, at: str, column: str, samples: list[tuple[str, Sample]]) -> None:
    """A bound is broken by every row with a word."""
    for shown, each in samples:
        if column in each.words:
            check.report(
                at,
                "no-numbers",
                f"the first rows of '{shown}' have no number in '{_called(column)}', which breaks "
                "at_least and at_most",
                "bound a column of numbers; `not_null: true` is for any",
                at_key=True,
            )
            return


def _column(
    check: Check, at: str, column: str, at_key: bool, samples: list[tuple[str, Sample]]
) -> None:
    for shown, each in samples:
        if each.columns is None:
            continue  # its beginning does not show them
        if column not in each.columns:
            check.report(
                at,
                "no-column",
                f"'{shown}' has no column '{_called(column)}'",
                _meant(column, each),
                at_key=at_key,
            )
            return
        if column in each.twice:
            check.report(
                at,
                "same-column",
                f"'{shown}' has the column '{_called(column)}' more than once",
                f"pandas calls the second '{_called(column)}.1': rename one of them",
                at_key=at_key,
            )
            return


def _meant(column: str, each: Sample) -> str:
    known = each.columns or ()
    no_header = each.hint and len(known) == 1
    if not no_header and (meant := nearest(column, known[:2000])):
        return f"did you mean '{_called(meant)}'?"
    if each.hint or len(known) == 1:  # one line of any text is one column, and not to be told
        return each.hint or "it has one column"
    return f"there is: {listed(map(_called, known))}"


def _called(column: str) -> str:
    shown = one_line(column.encode("utf-8", "backslashreplace").decode())
    return shown if len(shown) <= _CALLED else shown[: _CALLED - 1] + "…"


def _named(check: Check, name: str, dataset: Dataset) -> Iterator[tuple[str, str, bool]]:
    """Where a column of the dataset is named: path, column, whether it is the key there."""
    path = f"datasets.{name}"
    for key in ("target", "time"):
        if column := getattr(dataset, key):
            yield f"{path}.{key}", column, False
    for place, column in enumerate(dataset.sensitive):
        yield f"{path}.sensitive[{place}]", column, False
    for column in dataset.checks:
        yield join(f"{path}.checks", column), column, True
    only = len(check.blueprint.datasets) == 1
    for group, feature in check.blueprint.features.items():
        if feature.existing is None and (feature.dataset == name or (not feature.dataset and only)):
            for key in ("entity", "time"):
                if column := getattr(feature, key):
                    yield f"features.{group}.{key}", column, False
            for column in feature.fields:
                yield join(f"features.{group}.fields", column), column, True
    for entry, serving in check.blueprint.serving.items():
        outcomes = serving.monitor.outcomes if serving.monitor else None
        if not outcomes or not outcomes.key:
            continue
        if outcomes.dataset == name or (not outcomes.dataset and only):
            yield f"serving.{entry}.monitor.outcomes.key", outcomes.key, False
