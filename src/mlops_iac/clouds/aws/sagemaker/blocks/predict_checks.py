"""What SageMaker support refuses of the script that answers requests."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from mlops_iac.blueprint.reach import Outside
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.errors import Diagnostic
from mlops_iac.runtime import contract


def check_predict(scope: Scope) -> Iterator[Diagnostic]:
    """A served model whose code has no `predict.py`, or none that has its functions.

    The file is read and not run. An image of one's own may serve in another way.
    """
    served = machines.served(scope)
    for name, model in scope.blueprint.models.items():
        if name not in served or model.train is None or model.source is not None:
            continue
        if model.code is None or model.runtime is None or model.runtime.framework is None:
            continue
        try:
            folder = scope.resolved.file(model.code)
            if not folder.is_dir():
                continue  # told where it is written
            file = scope.resolved.file(contract.PREDICT, model.code)
            wrong, hint = _wrong(file.read_bytes() if file.is_file() else None)
        except (Outside, OSError):
            continue  # as above
        if wrong:
            said = f"{wrong}, and the endpoint starts with it"
            yield scope.wrong(f"models.{name}.code", said, hint, code="cannot-serve")


def _wrong(text: bytes | None) -> tuple[str, str]:
    """What is wrong with the script, empty for nothing, and what to do about it."""
    functions = "`load(model_folder)` and `predict(model, rows)`"
    if text is None:
        return f"there is no {contract.PREDICT} in it", f"write one with {functions}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a script that is not ours
            names = set(_names(ast.parse(text).body))
    except SyntaxError as error:
        return f"{contract.PREDICT}, line {error.lineno}: {error.msg}", "correct that line"
    except (ValueError, RecursionError, MemoryError):
        return f"{contract.PREDICT} cannot be read as Python", f"write it anew, with {functions}"
    missing = [] if "*" in names else [each for each in contract.FUNCTIONS if each not in names]
    told = f"{contract.PREDICT} has no {listed(missing, 'and no')}" if missing else ""
    return told, f"it answers with {functions}"


def _names(statements: list[ast.stmt]) -> Iterator[str]:
    """What a module has when it is imported; `*` where only running it would tell."""
    for statement in statements:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (each.asname or each.name for each in names)
            case ast.Assign(targets=targets):
                within = (part for each in targets for part in ast.walk(each))
                yield from (part.id for part in within if isinstance(part, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                yield "*"
