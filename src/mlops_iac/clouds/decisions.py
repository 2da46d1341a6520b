"""What a platform decides about every field of the language: planned, or refused and why.

A written field that nobody decided about is refused too, so that a new field of the language is loud
until someone does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.words import join, split
from mlops_iac.clouds.base import Refusal
from mlops_iac.errors import Diagnostic

if TYPE_CHECKING:
    from mlops_iac.blueprint.resolved import ResolvedBlueprint

# The code of what the language has and a platform not.
UNSUPPORTED = "unsupported"
_ELSE = "not supported yet"
# One list of paths, more or less, stands in every environment of every blueprint.
_PATHS = 4096


class Decisions:
    """The decisions of a platform that people call `label` and that plans these `modes`.

    `planned` are the patterns of what is planned in entries of a mode, and outside of entries;
    `refused` are the refusals, likewise.
    """

    def __init__(
        self,
        label: str,
        modes: Sequence[str],
        planned: Callable[[str], Sequence[str]],
        refused: Callable[[str], Sequence[Refusal]],
    ) -> None:
        self._label = label
        self._modes = modes
        self.planned = planned
        self.refused = refused
        self._planned = cache(lambda mode: _tree((each, each) for each in planned(mode)))
        self._refused = cache(lambda mode: _tree((each.pattern, each) for each in refused(mode)))
        self._plans = lru_cache(_PATHS)(lambda at, mode: _find(self._planned(mode), split(at)))
        self._below = lru_cache(_PATHS)(lambda at, mode: _below(self._planned(mode), split(at)))
        self._refusals = lru_cache(_PATHS)(self._all_refusals)

    def is_planned(self, path: str, mode: str) -> bool:
        """Whether a plan reads the leaf at `path`; `mode` is that of its entry, or `""`."""
        return bool(self._plans(path, mode))

    def holds_planned(self, path: str, mode: str) -> bool:
        """Whether a plan reads leaves below `path`, so that nothing in it means nothing, no more."""
        return bool(self._below(path, mode))

    def refusal(self, path: str, value: Any, mode: str) -> tuple[str, Refusal] | None:
        """What refuses the leaf at `path` with this value, and the path of the whole it refuses."""
        for ancestor, rule, whole in self._refusals(path, mode):
            if not (whole and value in rule.unless):
                return ancestor, rule
        return None

    def refuses(self, path: str, value: Any) -> str | None:
        """Why the field at `path` is refused with this value; None where a mode plans any of it."""
        found = [self._refuses(path, value, mode) for mode in self._modes]
        if None in found:
            return None
        if told := next((each for each in found if each != _ELSE), None):
            return told
        # What no planned mode has, another one has.
        other = self.refusal("serving.x.mode", None, "") if path.startswith("serving.") else None
        return other[1].reason if other else _ELSE

    def check(self, resolved: ResolvedBlueprint, modes: Mapping[str, str]) -> Iterator[Diagnostic]:
        """Each written leaf is planned or refused; what nobody decided about is refused.

        `modes` are those of the entries of `serving`, empty for one that is not planned.
        """
        done: set[str] = set()
        for path, value in resolved.leaves().items():
            if not resolved.is_written(path):
                continue
            mode = ""
            if path.startswith("serving."):
                _, entry, *rest = split(path)
                mode = modes.get(entry, "")
                # An entry of another mode is refused once, not field by field.
                if not mode and rest != ["mode"]:
                    continue
            found = self.refusal(path, value, mode)
            if found is not None:
                at, rule = found
                # What is at its default asks for nothing.
                if at not in done and not resolved.is_default(path):
                    done.add(at)
                    yield resolved.diagnostic(
                        at, UNSUPPORTED, f"{at}: {rule.reason}", rule.instead, at_key=True
                    )
            elif not (
                self.is_planned(path, mode) or (value == {} and self.holds_planned(path, mode))
            ):
                words = f"{path} is not supported on {self._label} yet"
                yield resolved.diagnostic(path, UNSUPPORTED, words, "leave it out")

    def _refuses(self, path: str, value: Any, mode: str) -> str | None:
        found = self.refusal(path, value, mode)
        if found is not None:
            return found[1].reason
        wholes = accumulate(split(path), join)
        if self.holds_planned(path, mode) or any(self.is_planned(each, mode) for each in wholes):
            return None
        return _ELSE

    def _all_refusals(self, path: str, mode: str) -> list[tuple[str, Refusal, bool]]:
        """What may refuse `path` or a whole that it is in, and whether it is that whole."""
        parts = split(path)
        ancestors = accumulate(parts, join, initial="")
        return [
            (ancestor, rule, length == len(parts))
            for length, ancestor in enumerate(ancestors)
            if length
            for rule in _find(self._refused(mode), parts[:length])
        ]


def matches(path: str, pattern: str) -> bool:
    """Whether `path` has the form of `pattern`, key by key; `**` at its end is any number."""
    parts, forms = split(path), pattern.split(".")
    if forms[-1] == "**":
        forms = forms[:-1]
        parts = parts[: len(forms)]
    return len(parts) == len(forms) and all(
        form in ("*", part) for part, form in zip(parts, forms, strict=True)
    )


# A tree of keys: there are many patterns, and every leaf of every environment is looked up.
_END = ""


def _tree(patterns: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for pattern, item in patterns:
        node = root
        for key in pattern.split("."):
            node = node.setdefault(key, {})
        node.setdefault(_END, []).append(item)
    return root


def _find(node: dict[str, Any], parts: Sequence[str]) -> list[Any]:
    if not parts:
        return list(node.get(_END, ()))
    found = list(node["**"][_END]) if "**" in node else []
    for key in dict.fromkeys((parts[0], "*")):
        if key in node:
            found += _find(node[key], parts[1:])
    return found


def _below(node: dict[str, Any], parts: Sequence[str]) -> bool:
    if not parts:
        return any(key != _END for key in node)
    return any(_below(node[key], parts[1:]) for key in {parts[0], "*"} if key in node)
