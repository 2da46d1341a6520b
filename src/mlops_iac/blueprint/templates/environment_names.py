"""Which environments there may be: limits go by an environment's name, so that is one, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.limits import ENVIRONMENTS, LOCAL, wrong_key
from mlops_iac.blueprint.words import join
from mlops_iac.errors import Diagnostic


def check_names(
    templates: Sequence[AppliedTemplate], root: Node, names: Iterable[str]
) -> Iterator[Diagnostic]:
    """Each of `names` that a template does not allow, where `root` or a template declares it.

    `local` is always there. What is made from another environment for a time is none of `names`:
    it has the limits of the one that it is made from.
    """
    limits = [limit for template in templates for limit in template.limits if limit.of_names]
    entry = root.entries.get(ENVIRONMENTS) if limits else None
    own = entry.value.entries if entry is not None else {}
    for limit in limits:
        for name in names:
            if name == LOCAL or name in limit.spec.keys:
                continue
            made = (each.environments[name] for each in templates if name in each.environments)
            place = own[name].key if name in own else next(made)
            message, hint = wrong_key(limit, ENVIRONMENTS, name)
            yield problem(place, "locked", message, path=join(ENVIRONMENTS, name), hint=hint)
