"""Data that flows through serving: what an entry reads, what it writes, and that no circle starts itself."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.checks.datasets import is_table
from mlops_iac.blueprint.checks.models import check_new_data
from mlops_iac.blueprint.sections.datasets import Dataset
from mlops_iac.blueprint.sections.serving import Batch, Streaming
from mlops_iac.blueprint.words import suggestion


def check_flow(check: Check, path: str, entry: Batch | Streaming) -> None:
    """One entry's input, output and what starts it."""
    _named(check, path, entry)
    _input(check, path, entry)
    _output(check, path, entry)
    if isinstance(entry, Batch):
        for index, name in enumerate(entry.new_data):
            at = f"{path}.new_data[{index}]"
            if name == entry.output:
                message = f"{path} would start itself: it writes '{name}'"
                check.report(at, "starts-itself", message, "name what it reads")
            elif name not in written_by_batch(check):
                check_new_data(check, at, name)


def check_flows(check: Check) -> None:
    """Batch entries together: one writer per dataset, and no circle."""
    owners: dict[str, str] = {}
    started: dict[str, set[str]] = {}
    for name, entry in check.blueprint.serving.items():
        if not isinstance(entry, Batch) or entry.output is None:
            continue
        first = owners.setdefault(entry.output, name)
        if first != name:
            message = f"serving.{first} writes '{entry.output}' already"
            hint = "give each batch entry an output of its own"
            check.report(f"serving.{name}.output", "shared-output", message, hint)
        started[name] = set(entry.new_data) - {entry.output}
    for name in started:
        if name in _starts(name, started, owners):
            check.report(
                f"serving.{name}.new_data",
                "starts-itself",
                f"serving.{name} would start itself: what it writes starts what writes its new data",
                "give one of them a schedule instead",
                at_key=True,
            )


def written_by_batch(check: Check) -> set[str]:
    """Datasets that batch entries write."""
    entries = check.blueprint.serving.values()
    return {each.output for each in entries if isinstance(each, Batch) and each.output}


def _starts(first: str, started: dict[str, set[str]], owners: dict[str, str]) -> Iterator[str]:
    """The entries whose output starts `first`, however many runs away."""
    seen: set[str] = set()
    todo = [first]
    while todo:
        for dataset in started.get(todo.pop(), ()):
            owner = owners.get(dataset)
            if owner is not None and owner not in seen:
                seen.add(owner)
                todo.append(owner)
                yield owner


def _named(check: Check, path: str, entry: Batch | Streaming) -> None:
    source = "a stream" if isinstance(entry, Streaming) else "with a source"
    for key, kind in (("input", source), ("output", "made (no source)")):
        if getattr(entry, key) is None:
            check.missing(path, key, f"a dataset {kind}")


def _input(check: Check, path: str, entry: Batch | Streaming) -> None:
    datasets = check.blueprint.datasets
    streaming = isinstance(entry, Streaming)
    source = datasets.get(entry.input or "")
    if source is None:
        return
    at = f"{path}.input"
    if source.is_stream != streaming:
        streams = [name for name, item in datasets.items() if item.is_stream]
        if streaming:
            hint = suggestion(entry.input or "", streams) or "a dataset with 'stream' or kafka://"
            message = f"'{entry.input}' is not a stream"
        else:
            hint, message = (
                "use mode streaming",
                f"'{entry.input}' is a stream; batch reads files or a table",
            )
        check.report(at, "not-a-source", message, hint)
    elif source.is_made and not streaming and entry.input not in written_by_batch(check):
        hint = "give it a source, or an entry that has it as its output"
        check.report(at, "not-a-source", f"nothing writes '{entry.input}'", hint)


def _output(check: Check, path: str, entry: Batch | Streaming) -> None:
    made = check.blueprint.datasets.get(entry.output or "")
    at = f"{path}.output"
    if made is not None and not _may_be_written(made, entry):
        hint = "name a dataset without 'source'"
        if isinstance(entry, Batch):
            hint += ", or one whose source is a folder of object storage"
        message = f"'{entry.output}' has a source; predictions would be written into it"
        check.report(at, "not-made", message, hint)
    elif entry.input is not None and entry.input == entry.output:
        check.report(at, "not-made", f"{path} reads what it writes, '{entry.output}'")
    elif made is not None and isinstance(entry, Batch):
        for name in dict.fromkeys((entry.input, *entry.new_data)):
            read = check.blueprint.datasets.get(name or "")
            if read is not None and _overlap(read.source, made.source):
                check.report(
                    at,
                    "not-apart",
                    f"'{entry.output}' and '{name}' overlap: {made.source} and {read.source}",
                    "write to a folder in which nothing is read",
                )


def _may_be_written(dataset: Dataset, entry: Batch | Streaming) -> bool:
    if dataset.is_made:
        return True
    if isinstance(entry, Streaming):
        return dataset.stream is not None
    return not (dataset.is_local or dataset.is_stream or is_table(dataset))


def _overlap(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return False
    folders = [f"{each.rstrip('/')}/" for each in (one, other)]
    return folders[0].startswith(folders[1]) or folders[1].startswith(folders[0])
