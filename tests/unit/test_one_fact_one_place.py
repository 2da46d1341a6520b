"""What the world is like stands in one table: a second one would go another way one day.

Looks at the constants of modules: collections that share most of their texts, mappings that say the
same of the same keys, long texts and patterns that are written twice.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest

import mlops_iac

ROOT = Path(mlops_iac.__file__).parent
LEAST = 4  # texts that two collections may share by chance
LONG = 12  # characters of a text that is no word
# Tables that look alike and are not one fact, each with the reason.
APART = {
    ("cli/_bounded.py _KEPT", "workload/processes.py _KEPT"): "what a fork's preview and what a user's script may see",
    ("api/fleet/finding.py SKIPPED", "blueprint/leaving.py TOOLS"): "folders without blueprints, and files that are no code",
    ("blueprint/leaving.py TOOLS", "templates/files.py _IGNORED"): "likewise",
    ("blueprint/fields.py _BOUNDS", "blueprint/pydantic_models.py _PASSED_ON"): "bounds of numbers, and all that pydantic is told",
    ("graph/changes.py _NAMING_KEYS", "graph/hidden.py _LABELS"): "what names an entry of a list, and what labels a hidden value",
    ("engine/embedded/registration.py _IMPLEMENTED", "graph/differences.py _OPTIONS"): "what the engine does, and what is told apart",
}  # fmt: skip
# Texts and patterns that stand twice on purpose.
TWICE = {
    "sourcedir.tar.gz": "components are copied by `eject` and import nothing of ours",
    "model.tar.gz": "what runs in a cloud's jobs beside `runtime` imports nothing of ours",
    "input/config/hyperparameters.json": "likewise",
    "https://management.azure.com": "likewise",
    "\\$\\{([a-z][a-z0-9_]*)\\}": "components are copied by `eject`, those of each cloud alone",
    "script runtime.framework runtime.version runtime.image compute.size compute.instance compute.count"
    " compute.disk_gb compute.spot timeout_minutes env.*": "each platform decides about each field itself",
    "arn:{partition}:ec2:{region}:{account}:": "the beginning of an address, no fact",
    "environments": "a word of the language",
    "application/jsonlines": "a standard's word; what runs in a container imports nothing of ours",
    "application/json": "likewise",
    "settings.json": "a file of a policy pack, and one of a run of the monitoring",
    "SageMaker Model Building Pipeline Execution Status Change": "the service's own word; emulators know no cloud's room",
    "AWS/SageMaker": "the service's own word; components are copied by `eject` and import nothing of ours",
}


class Table(NamedTuple):
    where: str
    texts: frozenset[str]
    pairs: frozenset[tuple[str, str]] = frozenset()  # of a mapping
    is_mapping: bool = False


def constants() -> Iterator[tuple[str, ast.expr]]:
    """Where each constant stands (`graph/plan.py SIGNS`), and what it is."""
    for path in sorted(ROOT.rglob("*.py")):
        if "template" in path.relative_to(ROOT).parts:
            continue  # the scaffold's example, which is the user's
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                name = target.id if isinstance(target, ast.Name) else "?"
                if name != "__all__":
                    yield f"{path.relative_to(ROOT).as_posix()} {name}", node.value


def text(node: ast.expr | None) -> str:
    known = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if known else ""  # type: ignore[union-attr,return-value]


def table(where: str, node: ast.expr) -> Table:
    if isinstance(node, ast.Call) and node.args:  # frozenset({…})
        return table(where, node.args[0])
    if isinstance(node, ast.Set | ast.Tuple | ast.List):
        return Table(where, frozenset(map(text, node.elts)) - {""})
    if isinstance(node, ast.Dict):
        pairs = {(text(k), text(v)) for k, v in zip(node.keys, node.values, strict=True)}
        whole = frozenset(pair for pair in pairs if all(pair))
        return Table(where, frozenset(key for key, _ in pairs) - {""}, whole, True)
    return Table(where, frozenset())


def alike(one: Table, other: Table) -> bool:
    if len(one.pairs & other.pairs) >= LEAST:
        return True
    shared = one.texts & other.texts
    if one.is_mapping or other.is_mapping:
        # A mapping may say something of every word of the language; names of the world are facts.
        shared = {each for each in shared if not re.fullmatch(r"[a-zA-Z_-]+", each)}
    return len(shared) >= LEAST and len(shared) > min(len(one.texts), len(other.texts)) / 2


def doubled(found: list[Table]) -> list[tuple[str, str]]:
    return [
        (one.where, other.where)
        for one, other in combinations(found, 2)
        if one.where.split()[0] != other.where.split()[0] and alike(one, other)
    ]


TABLES = [each for where, node in constants() if (each := table(where, node)).texts]


def test_no_table_stands_twice() -> None:
    found = {tuple(sorted(pair)) for pair in doubled(TABLES)}
    assert found - APART.keys() == set()
    assert APART.keys() - found == set(), "these are no longer alike: take them out"


def test_no_text_and_no_pattern_stands_twice() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for where, node in constants():
        module = where.split()[0]
        is_pattern = isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
        words = text(node.args[0] if is_pattern else node)  # type: ignore[attr-defined]
        if len(words) >= LONG:
            found[words].add(module)
    twice = {words: modules for words, modules in found.items() if len(modules) > 1}
    assert twice.keys() - TWICE.keys() == set(), twice
    assert TWICE.keys() - twice.keys() == set(), "these stand once: take them out"


@pytest.mark.parametrize(
    "second",
    [
        'FAMILIES = frozenset({"g5", "g6", "g6e", "g4dn", "p5"})',
        'FAMILIES = ("g5", "g6", "g6e", "g4dn", "p5", "inf1")',
        'SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "−"}',
        'WHAT = ("aws:rds/cluster:Cluster", "aws:rds/instance:Instance", "aws:kinesis/stream:Stream", "aws:dynamodb/table:Table", "aws:ec2/flowLog:FlowLog")',
    ],
)  # fmt: skip
def test_a_second_table_is_found(second: str) -> None:
    (node,) = ast.parse(second).body
    assert isinstance(node, ast.Assign)
    assert doubled([*TABLES, table("new.py TABLE", node.value)]) != doubled(TABLES)
