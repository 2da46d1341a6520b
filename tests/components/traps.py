"""The faults that generators of SageMaker stacks make, each as a check over a captured graph.

A check yields what is wrong, in words; nothing means that the graph is free of the fault.
`test_traps.py` runs each over real graphs, and over graphs with the fault put in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.components import traps_access as access
from tests.components import traps_serving as serving
from tests.components import traps_training as training
from tests.components.traps_graph import Graph

Check = Callable[[Graph], Iterator[str]]
CHECKS: dict[int, Check] = {
    1: access.three_roles,
    2: access.endpoint_role,
    3: access.pipeline_role,
    4: serving.replacements,
    5: serving.names,
    6: serving.rollback_alarms,
    7: serving.metrics,
    8: serving.scaling,
    9: serving.rollouts,
    10: serving.captures,
    11: access.alerts,
    12: access.encryption,
    13: training.events,
    14: training.loops,
    15: training.caching,
    16: training.tuning,
    17: training.registration,
    18: training.costs,
    19: serving.one_owner,
    20: access.registries,
    21: access.buckets,
}
