"""Which texts an argument allows, read from the component's source without importing it.

A program that reads such an argument from configuration says what is allowed
(`settings.choice("security.keys", "customer", "provider")`), which also types it for mypy.
Importing components to ask would cost every `compile` the provider SDK.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path


def allowed_texts(cls: str, argument: str) -> tuple[str, ...]:
    """The options of a `Literal` annotation of `module:Class`; empty where there is none."""
    module, _, name = cls.partition(":")
    tree = _tree(module)
    if tree is None:
        return ()
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for field in node.body:
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and field.target.id == argument
                ):
                    return _options(field.annotation, module, tree)
    return ()


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
            case ast.ImportFrom(module=str(origin), level=0, names=names) if any(
                item.name == alias and item.asname is None for item in names
            ):
                other = _tree(origin)
                return _alias(alias, origin, other) if other is not None else ()
            case _:
                continue
    return ()
