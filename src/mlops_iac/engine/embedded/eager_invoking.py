"""Questions that a program asks again and again, asked once. Only for runs on an `EagerLoop`.

Every component asks for account, region and partition: a third of the SDK's time for a resource
each, and the same answer all through a run.
"""

from __future__ import annotations

import importlib
from typing import Any

from pulumi import InvokeOptions, InvokeOutputOptions, Resource
from pulumi.output import Output, _OutputData

from mlops_iac.engine.embedded.eager import data_of
from mlops_iac.engine.embedded.eager_resources import output_of
from mlops_iac.engine.embedded.eager_sending import PLAIN

# `pulumi.runtime.invoke` is a function of that name, once the package is imported.
_original = importlib.import_module("pulumi.runtime.invoke").invoke_output
_OPTIONS = (InvokeOptions, InvokeOutputOptions)
_answers: dict[Any, Output[Any]] = {}


def forget() -> None:
    """Let go of a run's answers."""
    _answers.clear()


def invoke_output(
    tok: str, props: Any, opts: Any = None, typ: Any = None, package_ref: Any = None
) -> Output[Any]:
    """As the SDK's, answered from before where nothing but plain values is asked with."""
    key = _key(tok, props, opts, typ) if package_ref is None else None
    known = data_of(_answers[key]) if key in _answers else None
    if known is not None and known.is_known:
        return output_of(_OutputData(set(known.resources), known.value, True, known.is_secret))
    answer: Output[Any] = _original(tok, props, opts, typ, package_ref)
    if key is not None:
        _answers[key] = answer
    return answer


def _key(tok: str, props: Any, opts: Any, typ: Any) -> Any:
    """What the answer depends on; None where that is more than plain values."""
    if type(props) is not dict or any(type(value) not in PLAIN for value in props.values()):
        return None
    if opts is None:
        return tok, typ, repr(props)
    if type(opts) not in _OPTIONS or opts.provider or getattr(opts, "depends_on", None):
        return None
    above = opts.parent
    if above is not None and not (isinstance(above, Resource) and above.get_provider(tok) is None):
        return None
    return tok, typ, repr(props), opts.version, opts.plugin_download_url
