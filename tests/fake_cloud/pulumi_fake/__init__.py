"""The SDK of the fake cloud: its four types, as Pulumi programs write them."""

from __future__ import annotations

from typing import Any, ClassVar

import pulumi


class _Resource(pulumi.CustomResource):
    TYPE: ClassVar[str]
    url: pulumi.Output[str]

    def __init__(
        self, resource_name: str, opts: pulumi.ResourceOptions | None = None, **given: Any
    ) -> None:
        super().__init__(self.TYPE, resource_name, {**given, "url": None}, opts)


class Bucket(_Resource):
    """A place for objects: `name`, `encrypted`, `replicas`, `tags`."""

    TYPE = "fake:store/bucket:Bucket"
    name: pulumi.Output[str]


class Object(_Resource):
    """A file in a bucket: `bucket`, `key`, `source`."""

    TYPE = "fake:store/object:Object"


class Pipeline(_Resource):
    """Trains by a `definition`, and keeps the versions that it registers: `name`, `tags`."""

    TYPE = "fake:learn/pipeline:Pipeline"
    name: pulumi.Output[str]


class Service(_Resource):
    """Serves a `version` to whoever calls, or on a `schedule`: `name`, `size`, `tags`."""

    TYPE = "fake:serve/service:Service"
    name: pulumi.Output[str]
