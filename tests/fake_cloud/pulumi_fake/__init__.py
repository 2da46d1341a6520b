"""The SDK of the fake cloud: its four types, as Pulumi programs write them."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

Text = pulumi.Input[str]
Tags = Mapping[str, Text]


class Bucket(pulumi.CustomResource):
    """A place for objects."""

    name: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        name: Text,
        encrypted: pulumi.Input[bool] = False,
        replicas: pulumi.Input[int] | None = None,
        tags: Tags | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = {"name": name, "encrypted": encrypted, "replicas": replicas, "tags": tags}
        super().__init__("fake:store/bucket:Bucket", resource_name, {**given, "url": None}, opts)


class Object(pulumi.CustomResource):
    """A file in a bucket."""

    url: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        bucket: Text,
        key: Text,
        source: pulumi.FileAsset,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = {"bucket": bucket, "key": key, "source": source, "url": None}
        super().__init__("fake:store/object:Object", resource_name, given, opts)


class Pipeline(pulumi.CustomResource):
    """Trains by a definition, and keeps the versions that it registers."""

    name: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        name: Text,
        definition: Text,
        tags: Tags | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = {"name": name, "definition": definition, "tags": tags, "url": None}
        super().__init__("fake:learn/pipeline:Pipeline", resource_name, given, opts)


class Service(pulumi.CustomResource):
    """Serves a version: whoever calls, or a bucket by night."""

    name: pulumi.Output[str]
    url: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        name: Text,
        version: Text,
        size: Text,
        schedule: Text | None = None,
        tags: Tags | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = {"name": name, "version": version, "size": size, "schedule": schedule, "tags": tags}
        super().__init__("fake:serve/service:Service", resource_name, {**given, "url": None}, opts)
