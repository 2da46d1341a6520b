"""Makes the service packages of a provider SDK load their modules when they are touched.

A service's package imports all its resources (`from .endpoint import *`, 40 times); a stack uses
five. The finder replaces the loader of such packages: star imports wait until a name is asked for,
and then bind exactly what they would have bound. A package whose `__init__` holds anything else is
loaded as it is. The embedded engine alone installs it, in its own process.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

_STAR = re.compile(r"from \.(\w+) import \*")
_PLAIN = frozenset(
    {"import builtins as _builtins", "from .. import _utilities", "import typing", ""}
)
_ALL = re.compile(r"^__all__ = \[(.*?)\]", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"'(\w+)'")
_SUFFIXES = ("Args", "ArgsDict", "_output")


def install() -> None:
    """Install the finder once, before the SDK's services are imported. Those loaded stay."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        sdk, _, service = fullname.partition(".")
        if not sdk.startswith("pulumi_") or not service or "." in service:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.submodule_search_locations is None:
            return None
        if isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        lines = [
            line.split("#")[0].strip()
            for line in Path(self.path).read_text(encoding="utf-8").splitlines()
        ]
        stars = [match[1] for line in lines if (match := _STAR.fullmatch(line))]
        other = {line for line in lines if not _STAR.fullmatch(line)} - _PLAIN
        if not stars or other - {"from . import outputs"}:
            super().exec_module(module)
            return
        sdk = module.__name__.partition(".")[0]
        module.__dict__["_builtins"] = importlib.import_module("builtins")
        module.__dict__["typing"] = importlib.import_module("typing")
        module.__dict__["_utilities"] = importlib.import_module(f"{sdk}._utilities")
        submodules = [*stars, "outputs"] if other else stars
        module.__class__ = _LazyPackage
        object.__setattr__(module, "_lazy", _Contents(Path(self.path).parent, submodules))


class _Contents:
    """Which submodule exports which name, read from the sources without running them."""

    def __init__(self, folder: Path, submodules: Sequence[str]) -> None:
        self.folder = folder
        self.submodules = dict.fromkeys(submodules)
        self._exports: dict[str, frozenset[str]] = {}

    def exports(self, submodule: str) -> frozenset[str]:
        """The names in its `__all__`; `outputs` is no star import."""
        if submodule == "outputs":
            return frozenset()
        if submodule not in self._exports:
            source = (self.folder / f"{submodule}.py").read_text(encoding="utf-8")
            found = _ALL.search(source)
            self._exports[submodule] = frozenset(_WORD.findall(found[1]) if found else ())
        return self._exports[submodule]

    def owner(self, name: str) -> str | None:
        """The submodule to load for `name`."""
        # Later star imports win over earlier ones, and any of them over a submodule's own name.
        for submodule in self._guesses(name):
            if submodule in self.submodules and name in self.exports(submodule):
                return submodule
        for submodule in reversed(self.submodules):
            if name in self.exports(submodule):
                return submodule
        return name if name in self.submodules else None

    def _guesses(self, name: str) -> list[str]:
        stem = name
        for suffix in _SUFFIXES:
            stem = stem.removesuffix(suffix)
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", stem).lower()
        return [snake, name, "_inputs", "_enums"]

    def names(self) -> list[str]:
        """Everything a plain import would bind."""
        found = set(self.submodules)
        for submodule in self.submodules:
            found |= self.exports(submodule)
        return sorted(found)


class _LazyPackage(ModuleType):
    def __getattr__(self, name: str) -> Any:
        contents: _Contents = self.__dict__["_lazy"]
        if name == "__all__":
            return [n for n in contents.names() if not n.startswith("_")]
        if name.startswith("__"):
            raise AttributeError(name)
        owner = contents.owner(name)
        if owner is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        loaded = importlib.import_module(f"{self.__name__}.{owner}")
        if name in self.__dict__:
            return self.__dict__[name]
        # In a circle of imports: the submodule is running, and nothing is bound yet.
        return loaded if name == owner else getattr(loaded, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """The import system binds a loaded submodule here: its star import happens with it."""
        super().__setattr__(name, value)
        if isinstance(value, ModuleType) and value.__name__ == f"{self.__name__}.{name}":
            contents: _Contents = self.__dict__["_lazy"]
            if name in contents.submodules and name != "outputs":
                for exported in getattr(value, "__all__", ()):
                    super().__setattr__(exported, getattr(value, exported))

    def __dir__(self) -> list[str]:
        contents: _Contents = self.__dict__["_lazy"]
        return sorted({*super().__dir__(), *contents.names()})
