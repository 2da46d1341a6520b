"""What no schema says: names, places, and what must fit together. A module for each family of rules.

A rule is a function of what is being put that raises `ArmError` as the service does. Each module has a table
`RULES` by ARM type; those of `names` hold for all types.
"""

from __future__ import annotations

from mlops_iac.emulators.azure import kinds
from mlops_iac.emulators.azure.puts import Item, Others, Put
from mlops_iac.emulators.azure.rules import access, names, spending, traffic

_MODULES = (access, spending, traffic)
_MAY_GO = {kinds.ONLINE_DEPLOYMENTS: traffic.may_go}


def check(put: Put) -> None:
    """Raise ArmError for what the service would refuse."""
    for rule in names.EVERY:
        rule(put)
    for module in _MODULES:
        for rule in module.RULES.get(put.row.arm, ()):
            rule(put)


def may_go(store: Others, item: Item) -> None:
    """Raise ArmError where the service would not delete it by itself."""
    if (rule := _MAY_GO.get(item.row.arm)) is not None:
        rule(store, item)


def gone(store: Others, item: Item) -> None:
    """Remember what outlives a resource that is taken away."""
    names.keep(store, item)
