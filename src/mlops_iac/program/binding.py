"""Digests of a compiled program, by file, of what runs: without comments, and without secrets.

An unkeyed digest of a text that is known but for one short secret gives the secret away; so
secrets, told by name, are taken out before anything is digested. Archives count by what was packed.
"""

from __future__ import annotations

import ast
import json
from hashlib import sha256
from typing import Any, Final

from mlops_iac.graph.canonical import canonical_value
from mlops_iac.graph.redact import REDACTED, is_secret_name, redact
from mlops_iac.program.build import Program

# Read by people only.
_NOT_RUN: Final = frozenset({"README.md", ".gitignore"})


def program_digests(program: Program) -> dict[str, str]:
    """File → `sha256:…` of what it means; files that nobody runs are left out."""
    return {
        path: f"sha256:{program.made_from.get(path) or _digest(path, content)}"
        for path, content in sorted(program.files.items())
        if path not in _NOT_RUN
    }


def _digest(path: str, content: bytes) -> str:
    if path.endswith(".py"):
        content = _source(content).encode()
    elif path.endswith(".json"):
        clean = canonical_value(redact(json.loads(content)))
        content = json.dumps(clean, sort_keys=True, ensure_ascii=False).encode()
    return sha256(content).hexdigest()


def _source(content: bytes) -> str:
    """Python code without its docstring, whose digest of the blueprint is one of its secrets."""
    tree = _Redacted().visit(ast.parse(content))
    if ast.get_docstring(tree, clean=False) is not None:
        tree.body = tree.body[1:]
    return ast.unparse(tree)


class _Redacted(ast.NodeTransformer):
    """Literals under a name that tells of a secret become the placeholder."""

    def visit_Dict(self, node: ast.Dict) -> Any:
        self.generic_visit(node)
        for index, key in enumerate(node.keys):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                node.values[index] = _hidden(key.value, node.values[index])
        return node

    def visit_keyword(self, node: ast.keyword) -> Any:
        self.generic_visit(node)
        if node.arg is not None:
            # `secret_string=` is the SDK's spelling of `secretString`.
            node.value = _hidden(node.arg, node.value)
        return node


def _hidden(name: str, value: ast.expr) -> ast.expr:
    literal = isinstance(value, ast.Constant) and isinstance(value.value, str | bytes)
    return ast.Constant(REDACTED) if literal and is_secret_name(name) else value
