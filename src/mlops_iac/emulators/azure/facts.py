"""What a change of each property does, as far as somebody said so (`tables.Row`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from mlops_iac.emulators.azure import tables
from mlops_iac.emulators.azure.tables import Row
from mlops_iac.emulators.common.facts import Facts, PropertyFact, TypeFacts

# Of everything that has tags, ARM itself changes them (Microsoft.Resources/tags).
_TAGS = "tags"


class _Properties(Mapping[str, PropertyFact]):
    """The facts of a type by path: one for each that is asked for, as what is nested has no end."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._told: Mapping[str, str] = {**row.refused, **row.replaces}

    def __getitem__(self, path: str) -> PropertyFact:
        row = self._row
        if path.partition(".")[0] not in row.inputs:
            raise KeyError(path)
        # A nested path is told about by what it is in.
        above = [path[:end] for end, letter in enumerate(f"{path}.") if letter == "."]
        replaced = next((row.replaces[each] for each in above if each in row.replaces), "")
        refused = next((row.refused[each] for each in above if each in row.refused), "")
        source = replaced or refused or row.asked or (row.sdk if above[0] == _TAGS else "")
        replaces = bool(replaced) if source else None
        return PropertyFact(path, "", "string", None, False, False, True, False, False, False, None,
                            replaces, replaces, replaces, None, source)  # fmt: skip

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)


class AzureFacts(Facts):
    """The facts of every type of the tables."""

    def of(self, type_: str) -> TypeFacts | None:
        """Facts of a type; None where it is not known."""
        return _of(type_)

    def types(self) -> list[str]:
        """Every type, sorted."""
        return tables.types()


@cache
def _of(type_: str) -> TypeFacts | None:
    row = tables.row(type_)
    if row is None:
        return None
    return TypeFacts(type_, row.arm, row.asked, row.sdk, _Properties(row), {})


FACTS = AzureFacts(tables.FOLDER)
