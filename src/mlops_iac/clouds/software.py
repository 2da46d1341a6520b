"""What has to be installed for a cloud, and how."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.records import Record

ENGINE = ("pulumi.resource",)
"""Modules of the engine that take longest to compile."""
# What comes with the engine, by the names it is imported under.
_ENGINE_MODULES = tuple(each.partition(".")[0] for each in ("google.protobuf", "grpc", "pulumi"))
_EMULATE = "'mlops-iac[emulate]'"


class Software(Record):
    """What has to be installed for one cloud, and what of it is slow to import.

    `extra` is that of our own package (`mlops-iac[EXTRA]`), empty for a cloud that another one
    brings, which is then the first of `distributions`. `distributions` are needed by every
    command that runs a program, `emulator` by the emulated cloud alone, both as packages are named
    in an index; `modules` and `emulator_modules` are the names under which they are imported.
    `warm` are modules that every capture imports, `compiled` those that take longest to compile.
    """

    extra: str
    distributions: Sequence[str]
    emulator: Sequence[str]
    modules: frozenset[str]
    emulator_modules: frozenset[str]
    warm: Sequence[str]
    compiled: Sequence[str]

    @property
    def requirement(self) -> str:
        """What a shell gives to pip."""
        return f"'mlops-iac[{self.extra}]'" if self.extra else self.distributions[0]


def install(module: str) -> str:
    """Say how a module is installed that is imported under a name; empty for one of nobody here."""
    from mlops_iac.clouds.registry import clouds

    package = module.partition(".")[0]
    every = [each.access.software for each in clouds()]
    own = [each.requirement for each in every if package in each.modules]
    if own or package in _ENGINE_MODULES:
        return f"pip install {''.join(own) or extras()}, or {_EMULATE} with the emulated cloud"
    emulates = any(package in each.emulator_modules for each in every)
    return f"pip install {_EMULATE}" if emulates else ""


def extras() -> str:
    """The packages to choose from where programs are run: one for each cloud."""
    from mlops_iac.clouds.registry import clouds

    return " or ".join(each.access.software.requirement for each in clouds())
