"""The types of the fake cloud: their properties, and whether a change of one replaces."""

from __future__ import annotations

from collections.abc import Mapping

BUCKET = "fake:store/bucket:Bucket"
OBJECT = "fake:store/object:Object"
PIPELINE = "fake:learn/pipeline:Pipeline"
SERVICE = "fake:serve/service:Service"
PROPERTIES: Mapping[str, Mapping[str, bool]] = {
    BUCKET: {"name": True, "encrypted": False, "replicas": False, "tags": False},
    OBJECT: {"bucket": True, "key": True, "source": False},
    PIPELINE: {"name": True, "definition": False, "tags": False},
    SERVICE: {"name": True, "version": False, "size": False, "schedule": False, "tags": False},
}
