"""Properties as they are sent and as a request's decoding gives them back, without a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args, get_origin

from pulumi import FileArchive, FileAsset, _types
from pulumi.output import Output, _OutputData
from pulumi.runtime import rpc

from mlops_iac.engine.embedded import wire
from mlops_iac.engine.embedded.eager import data_of

# What is sent as it is.
PLAIN: Final = frozenset({str, bool, int, float, type(None)})
# Beyond this a number is not exact in protobuf.
_EXACT = 2**53
_FILES: Final = {FileAsset: wire.ASSET, FileArchive: wire.ARCHIVE}


class NotAtOnceError(Exception):
    """It is not there yet, or it is rare."""


def there(output: Output[Any]) -> _OutputData[Any]:
    """An output's data, of one that is known and no secret."""
    data: _OutputData[Any] | None = data_of(output)
    if data is None or not data.is_known or data.is_secret:
        raise NotAtOnceError
    return data


def sent(value: Any, found: list[Any], typ: Any) -> Any:
    """A property as it is sent, with what it stands on. As `rpc.serialize_property`."""
    kind = type(value)
    if kind in PLAIN:
        if value == wire.UNKNOWN_TEXT:
            raise NotAtOnceError
        return value
    typ = _types.unwrap_type(typ) if typ else typ
    if typ is Any:
        typ = None
    if kind is list or kind is tuple:
        element = rpc._get_list_element_type(typ)
        return [sent(item, found, element) for item in value]
    if isinstance(value, Output):
        data = there(value)
        found.extend(data.resources)
        inner: list[Any] = []
        result = sent(data.value, inner, typ)
        found.extend(inner)
        data.resources.update(inner)
        return result
    if _types.is_input_type(kind):
        types = _types.input_type_types(kind)
        items = _types.input_type_to_dict(value).items()
        return {_key(key): sent(item, found, types.get(key)) for key, item in items}
    if kind is dict:
        return _sent_mapping(value, found, typ)
    if kind in _FILES and type(value.path) is str:
        return {wire.SIGNATURE: _FILES[kind], "path": value.path}
    raise NotAtOnceError


def _sent_mapping(value: dict[Any, Any], found: list[Any], typ: Any) -> dict[str, Any]:
    names: Mapping[str, str] = {}
    types: Mapping[str, Any] | None = None
    of_all = None
    if typ is not None:
        typ = _types.reduce_discriminated_union(typ, value, _types._py_name_for) or typ
        if _types.is_input_type(typ):
            names = _types.input_type_py_to_pulumi_names(typ)
            types = _types.input_type_types(typ)
        elif typ is dict or get_origin(typ) in (dict, Mapping):
            args = get_args(typ)
            of_all = args[1] if len(args) == 2 and args[0] is str else None
    translated = {}
    for key in value:
        name = _key(names.get(key) or key)
        translated[name] = sent(value[key], found, types.get(name) if types is not None else of_all)
    return translated


def _key(key: Any) -> str:
    if type(key) is not str or key == wire.SIGNATURE:
        raise NotAtOnceError
    return key


def kept(value: Any, read_asset: wire.ReadAsset) -> Any:
    """What a request's decoding makes of it: `wire.from_struct`. Raises as `read_asset`."""
    kind = type(value)
    if kind is dict:
        if wire.SIGNATURE in value:
            return wire.from_json(value, read_asset=read_asset)
        return {key: kept(value[key], read_asset) for key in sorted(value)}
    if kind is list:
        return [kept(item, read_asset) for item in value]
    if kind is float:
        return int(value) if value.is_integer() else value
    if kind is int and abs(value) > _EXACT:
        return int(float(value))
    return value
