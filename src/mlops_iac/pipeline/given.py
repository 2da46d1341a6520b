"""Hyperparameters that are given to one run, in the place of those that its lifecycle has."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mlops_iac.blueprint.words import suggestion
from mlops_iac.errors import UsageError
from mlops_iac.pipeline.reading import as_text
from mlops_iac.pipeline.steps import Lifecycle, Range, Scalar, Tune
from mlops_iac.records import replace


def with_given(life: Lifecycle, given: Mapping[str, str]) -> Lifecycle:
    """The lifecycle whose training is given these, each of the type that the deployed one has.

    One that is searched is not searched any more. Raises UsageError for a name that the training does
    not have, and for a value of another type or outside of what is searched.
    """
    if not given:
        return life
    train, tune = life.train, life.training if isinstance(life.training, Tune) else None
    searched = dict(tune.search) if tune else {}
    fixed = dict(train.hyperparameters)
    for name, text in given.items():
        if not text or not text.isprintable():
            raise _refused(name, text, "some text that can be printed")
        if name in searched:
            searched[name] = _one_of(name, text, searched[name])
        elif name in fixed:
            fixed[name] = _typed(name, text, fixed[name])
        else:
            names = [*fixed, *searched]
            raise UsageError(
                f"--set {name}: the training of {life.model} has no such hyperparameter; nothing was run",
                hint=f"{suggestion(name, names) or 'it has none'}; a new one is added to"
                f" models.{life.model}.train.hyperparameters, and deployed",
            )
    train = replace(train, hyperparameters=fixed)
    if tune is None:
        return replace(life, training=train)
    return replace(life, training=replace(tune, train=train, search=searched))


def _typed(name: str, text: str, standard: Scalar) -> Scalar:
    """A number may be whole or not, whatever the deployed one is."""
    match standard:
        case bool():
            if text in ("true", "false"):
                return text == "true"
            raise _refused(name, text, f"true or false, as {as_text(standard)} is")
        case int() | float():
            return _number(name, text, f"a number, as {as_text(standard)} is")
        case _:
            return text


def _one_of(name: str, text: str, search: Range) -> Range:
    if search.kind == "values":
        if text not in search.values:
            raise _refused(name, text, f"one of {', '.join(search.values)}, which are searched")
    else:
        what = "whole number" if search.kind == "integer" else "number"
        allowed = f"a {what} from {search.low} to {search.high}, which is searched"
        value = _number(name, text, allowed)
        whole = search.kind != "integer" or isinstance(value, int)
        if not whole or not float(search.low) <= value <= float(search.high):
            raise _refused(name, text, allowed)
    return Range("values", values=(text,))


def _number(name: str, text: str, allowed: str) -> int | float:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if math.isfinite(value):
            return value
    raise _refused(name, text, allowed)


def _refused(name: str, text: str, allowed: str) -> UsageError:
    return UsageError(
        f"--set {name}: {text!r} is not {allowed}; nothing was run",
        hint=f"--set {name}=VALUE",
    )
