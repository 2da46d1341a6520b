"""What a component's arguments allow and default to, read from its source without importing it.

A program that reads an argument from configuration says what is allowed
(`settings.choice("security.keys", "customer", "provider")`), which also types it for mypy. An
argument that only some environments give needs its default spelt out in the others.
Importing components to ask would cost every `compile` the provider SDK.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from mlops_iac.clouds.base import ArgValue, Construct


def allowed_texts(cls: str, argument: str) -> tuple[str, ...]:
    """The options of a `Literal` annotation of `module:Class`; empty where there is none."""
    found = _field(cls, argument)
    if found is None:
        return ()
    field, module, tree = found
    return _options(field.annotation, module, tree)


def default_of(cls: str, argument: str) -> ArgValue:
    """The default of an argument of `module:Class`: data, a Construct, or None.

    None also stands for a default that cannot be written down, and for a required argument.
    """
    found = _field(cls, argument)
    if found is None:
        return None
    field, module, tree = found
    match field.value:
        case ast.Call(func=ast.Name(id="field"), keywords=keywords):
            given = {keyword.arg: keyword.value for keyword in keywords}
            match given.get("default_factory"):
                case ast.Name(id="dict"):
                    return {}
                case ast.Name(id="list" | "tuple"):
                    return []
                case ast.Name(id=name):
                    return Construct(f"{_home(name, module, tree)}:{name}", {})
            return _literal(given.get("default"))
        case value:
            return _literal(value)


def _literal(value: ast.expr | None) -> ArgValue:
    if value is None:
        return None
    try:
        data = ast.literal_eval(value)
    except ValueError:
        return None
    return list(data) if isinstance(data, tuple) else data


def _field(cls: str, argument: str) -> tuple[ast.AnnAssign, str, ast.Module] | None:
    module, _, name = cls.partition(":")
    tree = _tree(module)
    for node in tree.body if tree else ():
        if isinstance(node, ast.ClassDef) and node.name == name:
            for field in node.body:
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and field.target.id == argument
                ):
                    assert tree is not None
                    return field, module, tree
        if isinstance(node, ast.ImportFrom) and any(item.name == name for item in node.names):
            return _field(f"{_absolute(node, module)}:{name}", argument)
    return None


def _home(name: str, module: str, tree: ast.Module) -> str:
    """The module that a program imports a name from: `module` itself where that offers it."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=offered):
                if name in ast.literal_eval(offered):
                    return module
            case _:
                continue
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any(item.name == name for item in node.names):
            return _absolute(node, module)
    return module


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if node.level == 0:
        return node.module or ""
    parent = module.rsplit(".", node.level)[0]
    return f"{parent}.{node.module}" if node.module else parent


@lru_cache(maxsize=64)
def _tree(module: str) -> ast.Module | None:
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def _options(annotation: ast.expr, module: str, tree: ast.Module) -> tuple[str, ...]:
    match annotation:
        case ast.Constant(value=str(text)):
            return _options(ast.parse(text, mode="eval").body, module, tree)
        case ast.Subscript(value=ast.Name(id="Literal") | ast.Attribute(attr="Literal")):
            items = annotation.slice
            elements = items.elts if isinstance(items, ast.Tuple) else [items]
            return tuple(
                element.value
                for element in elements
                if isinstance(element, ast.Constant) and isinstance(element.value, str)
            )
        case ast.Subscript(value=ast.Attribute(attr="Input")):
            # An `Input` also takes any text that comes late, so nothing is checked here.
            return ()
        case ast.BinOp(left=left, right=right):
            return _options(left, module, tree) or _options(right, module, tree)
        case ast.Name(id=alias):
            return _alias(alias, module, tree)
        case _:
            return ()


def _alias(alias: str, module: str, tree: ast.Module) -> tuple[str, ...]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == alias:
                return _options(value, module, tree)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if (
                name == alias
            ):
                return _options(value, module, tree)
            case ast.ImportFrom(names=names) if any(item.name == alias for item in names):
                origin = _absolute(node, module)
                other = _tree(origin)
                return _alias(alias, origin, other) if other is not None else ()
            case _:
                continue
    return ()
