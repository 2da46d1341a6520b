"""Asks the provider about one property at a time: states and configurations that differ in it alone.

A prior state is not validated, and neither is a configuration that is planned directly; what a
resource's own CustomizeDiff checks nevertheless is met by `overrides.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .blocks import Attribute, Block, Nested, Path, Samples, absent, proposed, sample, walk, wrap
from .provider_process import UNKNOWN, AwsProvider, PlanRefused

# Two spellings of one JSON text, and one of another: the prior is normalised as a state's would be.
_PLAIN = ('{"a":1,"b":[2]}', '{ "b": [2],\n "a": 1 }', '{"a":3}')
_REST = '"Effect":"Allow","Principal":{"AWS":"*"},"Resource":"*"'
_POLICY = (
    f'{{"Statement":[{{"Action":"s3:GetObject",{_REST}}}],"Version":"2012-10-17"}}',
    f'{{"Version": "2012-10-17",\n "Statement": [{{{_REST}, "Action": ["s3:GetObject"]}}]}}',
    f'{{"Statement":[{{"Action":"s3:PutObject",{_REST}}}],"Version":"2012-10-17"}}',
)


@dataclass(slots=True)
class Answer:
    """What the provider says about one property."""

    update: bool | None = None
    add: bool | None = None
    delete: bool | None = None
    json: bool = False
    default: Any = None
    refused: list[str] = field(default_factory=list)


class Prober:
    """Probes one resource type.

    `base`, by the Terraform path that is probed (`*` for all): what every state and configuration
    carries beside it. `values`: pairs of values for attributes where any two would not do.
    """

    def __init__(
        self,
        provider: AwsProvider,
        tf_name: str,
        block: Block,
        base: Mapping[str, Mapping[str, Any]],
        values: Mapping[str, Sequence[Any]],
    ) -> None:
        self._provider = provider
        self._tf_name = tf_name
        self._block = block
        self._base = base
        self._samples = Samples(values)

    def run(self) -> dict[Path, Answer]:
        """An answer for everything a configuration may set."""
        answers = {
            path: self._answer(path, node)
            for path, node in walk(self._block)
            if path[0] not in ("id", "timeouts", "tags_all")
            and (isinstance(node, Nested) or node.input)
        }
        self._defaults(answers)
        return answers

    def _answer(self, path: Path, node: Attribute | Nested) -> Answer:
        answer = Answer()
        first, second, nothing = self._pair(path, node)
        if isinstance(node, Attribute):
            answer.update = self._either_way(answer, path, node, first, second)
            if node.required:
                # It never appears or goes alone.
                answer.add = answer.delete = answer.update
            if node.type == "string":
                answer.json = any(
                    self._ignores_spelling(path, texts) for texts in (_PLAIN, _POLICY)
                )
        if not isinstance(node, Attribute) or not node.required:
            answer.add = self._forces(answer, path, node, nothing, second)
            answer.delete = self._forces(answer, path, node, second, nothing)
        if isinstance(node, Attribute):
            return answer
        if node.max_items == 1 or node.nesting == "single":
            answer.update = False  # its attributes answer for themselves
        else:
            answer.update = self._forces(answer, path, node, second, first)
        return answer

    def _either_way(
        self, answer: Answer, path: Path, node: Attribute, first: Any, second: Any
    ) -> bool | None:
        there = self._forces(answer, path, node, first, second)
        back = self._forces(answer, path, node, second, first)
        return None if there is None or back is None else there or back

    def _pair(self, path: Path, node: Attribute | Nested) -> tuple[Any, Any, Any]:
        if isinstance(node, Attribute):
            return self._samples.of(path, node, 0), self._samples.of(path, node, 1), None
        one = self._samples.element(node.block, path)
        other = self._samples.varied(node.block, path, one)
        nothing = wrap(node) if node.nesting != "single" else None
        return wrap(node, one, other), wrap(node, one), nothing

    def _base_state(self, path: Path = ()) -> dict[str, Any]:
        state = absent(self._block)
        for name, attribute in self._block.attributes.items():
            if attribute.required:
                state[name] = self._samples.of((name,), attribute, 1)
        base = {**self._base.get("*", {}), **self._base.get(".".join(path), {})}
        for key, item in base.items():
            *blocks, name = key.split(".")
            self._samples.put(self._block, state, (*blocks, name), item)
        return state

    def _state(self, path: Path, value: Any) -> dict[str, Any]:
        state = self._base_state(path)
        self._samples.put(self._block, state, path, value)
        return state

    def _plan(self, path: Path, old: Any, new: Any) -> tuple[dict[str, Any], Any]:
        prior, config = self._state(path, old), self._state(path, new)
        for name, attribute in self._block.attributes.items():
            if attribute.computed and not attribute.input:
                prior[name] = sample(attribute.type, 0)
        if "id" in prior:
            prior["id"] = "id"
        wanted = proposed(self._block, prior, config)
        return prior, self._provider.plan(self._tf_name, prior, config, wanted)

    def _forces(
        self, answer: Answer, path: Path, node: Attribute | Nested, old: Any, new: Any
    ) -> bool | None:
        try:
            _, plan = self._plan(path, old, new)
        except PlanRefused as refused:
            answer.refused.append(str(refused))
            return None
        own = [".".join(path[: n + 1]) for n in range(len(path))]
        if plan.replaces & set(own):
            return True
        if isinstance(node, Nested):
            # What the block cannot be without replaces together with it.
            needed = {
                ".".join((*path, *inner))
                for inner, n in walk(node.block)
                if isinstance(n, Attribute) and n.required
            }
            return bool(plan.replaces & needed)
        return False

    def _ignores_spelling(self, path: Path, texts: tuple[str, str, str]) -> bool:
        """Whether the provider plans no change for the same JSON spelled otherwise."""
        try:
            prior, same = self._plan(path, texts[0], texts[1])
            _, other = self._plan(path, texts[0], texts[2])
        except PlanRefused:
            return False
        old = _get(prior, path)
        return bool(_get(same.planned, path) == old and _get(other.planned, path) != old)

    def _defaults(self, answers: Mapping[Path, Answer]) -> None:
        """What is planned for creation where the configuration is silent, block by block."""
        places: dict[Path, None] = {(): None}
        places |= {path: None for path, node in walk(self._block) if isinstance(node, Nested)}
        for place in places:
            if place and place not in answers:
                continue
            config = self._base_state()
            self._samples.inside(self._block, config, place)
            try:
                plan = self._provider.plan(
                    self._tf_name, None, config, proposed(self._block, None, config)
                )
            except PlanRefused as refused:
                for path in [p for p in answers if p[:-1] == place]:
                    answers[path].refused.append(f"default: {refused}")
                continue
            silent, planned = _descend(config, place), _descend(plan.planned, place)
            if not isinstance(silent, dict) or not isinstance(planned, dict):
                continue
            for name, value in planned.items():
                if (*place, name) in answers and silent.get(name) is None and _is_default(value):
                    answers[(*place, name)].default = value


def _is_default(value: Any) -> bool:
    # A legacy provider shows an absent text inside a block as "".
    return value not in (None, "", UNKNOWN) and not isinstance(value, list | dict)


def _descend(value: Any, path: Path) -> Any:
    for name in path:
        value = (value or {}).get(name)
        if isinstance(value, list):
            value = value[0] if value else None
    return value


def _get(value: Any, path: Path) -> Any:
    return (_descend(value, path[:-1]) or {}).get(path[-1])
