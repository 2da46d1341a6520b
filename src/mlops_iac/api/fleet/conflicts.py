"""What two blueprints must not have in common: a name, a state, or the folder of their programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from mlops_iac.api.fleet.model import Identity
from mlops_iac.errors import Diagnostic

_NAME = re.compile(r"""^["']?name["']?[ \t]*:[ \t]*["']?([A-Za-z0-9][A-Za-z0-9_.-]*)""", re.M)


def shared(identities: Iterable[Identity]) -> list[Diagnostic]:
    """Return an error for every environment that is another blueprint's environment, too.

    Names of resources are made from blueprint and environment, so that two of the same name in one
    account and region are the same resources; and a state is found by the same two in its backend.
    """
    by_name: dict[tuple[str, str], list[Identity]] = {}
    for each in identities:
        by_name.setdefault((each.name, each.stack), []).append(each)
    found: list[Diagnostic] = []
    for (name, stack), group in sorted(by_name.items()):
        for number, right in enumerate(group):
            left = next((one for one in group[:number] if _in_common(one, right)), None)
            if left is not None and left.place.file != right.place.file:
                found.append(_told(name, stack, left, right))
    return found


def _in_common(left: Identity, right: Identity) -> str:
    if (left.account, left.region) == (right.account, right.region):
        account = f"account {left.account}" if left.account else "an account that neither names"
        return f"names, buckets and state: {account}, {left.region}"
    if left.backend != right.backend:
        return ""
    return f"their state in {left.backend}" if left.backend else _OWN


# Not known here: whoever deploys them may be logged in to another backend for each.
_OWN = "their state, where both are deployed from one Pulumi backend"


def _told(name: str, stack: str, left: Identity, right: Identity) -> Diagnostic:
    common = _in_common(left, right)
    way_out = "or another state.backend" if common == _OWN else "or another account or region"
    return replace(
        right.place,
        code="shared-environment",
        message=f"{name} → {stack} is also made by {left.place.file}:{left.place.line}; "
        f"the two share {common}",
        path=f"environments.{stack}",
        hint=f"give one of them another name, {way_out} for this environment",
        severity="warning" if common == _OWN else "error",
    )


def same_program(
    files: Sequence[Path], folder_of: Callable[[Path, str], Path]
) -> dict[Path, Diagnostic]:
    """Return an error for every blueprint that would be compiled over another one's program.

    `folder_of` gives the folder that a blueprint of a name is compiled to. Blueprints are only
    looked at, not read: this is asked before anything is written.
    """
    by_folder: dict[Path, list[Path]] = {}
    for file in files:
        if name := _name(file):
            by_folder.setdefault(folder_of(file, name), []).append(file)
    found: dict[Path, Diagnostic] = {}
    for folder, group in by_folder.items():
        for file in group if len(group) > 1 else ():
            other = next(each for each in group if each != file)
            found[file] = Diagnostic(
                code="shared-program",
                message=f"{other} has the same name and is compiled to {folder}, too",
                file=str(file),
                hint="give one of them another name; nothing was written for either",
            )
    return found


def _name(file: Path) -> str:
    try:
        found = _NAME.search(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""
    return found[1] if found else ""
