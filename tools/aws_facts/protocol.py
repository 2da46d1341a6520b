"""The part of Terraform's plugin protocol 5 that asks a provider to plan.

Source: hashicorp/terraform, docs/plugin-protocol/tfplugin5.proto. Only the messages and fields used
here are declared; protobuf keeps the rest as unknown fields.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_F = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bytes": _F.TYPE_BYTES,
    "string": _F.TYPE_STRING,
    "bool": _F.TYPE_BOOL,
    "int64": _F.TYPE_INT64,
    "enum": _F.TYPE_INT32,  # an enum and an int32 are the same on the wire
}

# message → field → (number, type); a leading `*` repeats the field.
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "DynamicValue": {"msgpack": (1, "bytes"), "json": (2, "bytes")},
    "Step": {
        "attribute_name": (1, "string"),
        "element_key_string": (2, "string"),
        "element_key_int": (3, "int64"),
    },
    "AttributePath": {"steps": (1, "*Step")},
    "Diagnostic": {
        "severity": (1, "enum"),
        "summary": (2, "string"),
        "detail": (3, "string"),
        "attribute": (4, "AttributePath"),
    },
    "Attribute": {
        "name": (1, "string"),
        "type": (2, "bytes"),
        "required": (4, "bool"),
        "optional": (5, "bool"),
        "computed": (6, "bool"),
        "sensitive": (7, "bool"),
        "deprecated": (9, "bool"),
    },
    "Block": {"attributes": (2, "*Attribute"), "block_types": (3, "*NestedBlock")},
    "NestedBlock": {
        "type_name": (1, "string"),
        "block": (2, "Block"),
        "nesting": (3, "enum"),
        "min_items": (4, "int64"),
        "max_items": (5, "int64"),
    },
    "Schema": {"version": (1, "int64"), "block": (2, "Block")},
    "ResourceSchemasEntry": {"key": (1, "string"), "value": (2, "Schema")},
    "SchemaRequest": {},
    "SchemaResponse": {
        "provider": (1, "Schema"),
        "resource_schemas": (2, "*ResourceSchemasEntry"),
        "diagnostics": (4, "*Diagnostic"),
    },
    "ConfigureRequest": {"terraform_version": (1, "string"), "config": (2, "DynamicValue")},
    "ConfigureResponse": {"diagnostics": (1, "*Diagnostic")},
    "PlanRequest": {
        "type_name": (1, "string"),
        "prior_state": (2, "DynamicValue"),
        "proposed_new_state": (3, "DynamicValue"),
        "config": (4, "DynamicValue"),
        "prior_private": (5, "bytes"),
    },
    "PlanResponse": {
        "planned_state": (1, "DynamicValue"),
        "requires_replace": (2, "*AttributePath"),
        "diagnostics": (4, "*Diagnostic"),
    },
}


def _build() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="plan_only.proto", package="plan_only", syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            label = _F.LABEL_REPEATED if kind.startswith("*") else _F.LABEL_OPTIONAL
            kind = kind.lstrip("*")
            field = message.field.add(name=field_name, number=number, label=label)
            if kind in _SCALARS:
                field.type = _SCALARS[kind]
            else:
                field.type, field.type_name = _F.TYPE_MESSAGE, f".plan_only.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"plan_only.{name}"))
        for name in _MESSAGES
    }


MESSAGES = _build()
