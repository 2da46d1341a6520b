"""What the models of Azure's clients say of bodies, run by the Python that has them (`packages_env.py`).

    python client_models.py < BODIES > PROBLEMS

BODIES is a JSON list of [token, body]; PROBLEMS a list as long, of texts: members that a model has not, and
values that are not of a member's type. Null where no client has a model of the type.
"""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

sys.path.insert(0, str(Path(__file__).parents[3] / "tools" / "azure_facts"))

from create_only import CLASSES, PACKAGES, Models

TAKEN = {str: (str,), bool: (bool,), int: (int,), float: (int, float), Decimal: (int, float)}


class Checked(Models):
    """The models of one distribution, held against bodies."""

    def problems(self, cls: Any, body: Any, path: str = "") -> Iterator[str]:
        """What is wrong with a body of a class."""
        if not isinstance(body, Mapping):
            yield f"{path} is no {cls.__name__}"
            return
        cls = self._variant(cls, body)
        fields = self.fields(cls)
        attributes = {field._rest_name: name for name, field in cls._attr_to_rest_field.items()}
        for name, value in body.items():
            here = f"{path}.{name}".lstrip(".")
            if name not in fields:
                yield f"{here} is no member of {cls.__name__}"
            else:
                yield from self._value(self._hint(cls, attributes[name]), value, here)

    def _variant(self, cls: Any, body: Mapping[str, Any]) -> Any:
        """The class that the body says it is of."""
        for key, found in vars(cls).get("__mapping__", {}).items():
            if key in body.values():
                return found
        return cls

    def _hint(self, cls: Any, attribute: str) -> Any:
        for base in cls.__mro__:
            if said := getattr(base, "__annotations__", {}).get(attribute):
                holder = type("Holder", (), {"__annotations__": {attribute: said}})
                try:
                    return get_type_hints(holder, globalns=self.names)[attribute]
                except (NameError, TypeError, AttributeError):
                    break
        return Any

    def _value(self, hint: Any, value: Any, path: str) -> Iterator[str]:
        options = [each for each in get_args(hint) if each is not type(None)]
        origin = get_origin(hint)
        if origin is list:
            for number, each in enumerate(value if isinstance(value, list) else ()):
                yield from self._value(options[0], each, f"{path}.{number}")
            if not isinstance(value, list):
                yield f"{path} is no list"
        elif origin is dict:
            for key, each in value.items() if isinstance(value, Mapping) else ():
                yield from self._value(options[1], each, f"{path}.{key}")
        elif options:  # a union: of a type and None, or of text and an enumeration
            kinds = [each for each in options if isinstance(each, type)]
            enums = [each for each in kinds if issubclass(each, enum.Enum)]
            if enums:
                known = {str(each.value).lower() for each in enums[0]}
                if str(value).lower() not in known:
                    yield f"{path} is none of {', '.join(sorted(known))}"
            elif len(options) == 1:
                yield from self._value(options[0], value, path)
        elif getattr(hint, "_is_model", False):
            yield from self.problems(hint, value, path)
        elif type(value) not in TAKEN.get(hint, (type(value),)):
            yield f"{path} is no {hint.__name__}"


def main() -> None:
    """Answer for every body."""
    told: dict[str, Checked] = {}
    found: list[list[str] | None] = []
    for token, body in json.load(sys.stdin):
        module, _, short = token.removeprefix("azure-native:").partition(":")
        if module not in PACKAGES:
            found.append(None)
            continue
        known = told.setdefault(module, Checked(PACKAGES[module][1]))
        cls = getattr(known.models, CLASSES.get(f"{module}:{short}", short))
        found.append(sorted(known.problems(cls, body)))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
