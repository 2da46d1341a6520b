"""Instance types whose local disk is encrypted in hardware, and refuses a key. Standard library only."""

from __future__ import annotations

# SageMaker API reference, CreateEndpointConfig (KmsKeyId) and ResourceConfig (VolumeKmsKeyId): a key
# is refused where the instance has a local NVMe disk. A test compares this with what EC2 says of
# each type. A `d` behind the generation says the same (m5d, r7gd).
_FAMILIES = frozenset({"g4dn", "g5", "g6", "g6e", "g7", "g7e", "p4d", "p4de", "p5", "p5e", "p5en"})
_KINDS = ("p6-", "trn")


def has_local_disk(instance_type: str) -> bool:
    """Whether a type (`ml.g5.xlarge`) has a local disk that takes no volume key."""
    family = instance_type.removeprefix("ml.").split(".")[0]
    generation = family.lstrip("abcdefghijklmnopqrstuvwxyz")
    return family in _FAMILIES or family.startswith(_KINDS) or "d" in generation
