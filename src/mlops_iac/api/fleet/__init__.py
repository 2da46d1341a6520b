"""Many blueprints at once: found below a folder, worked on by warm processes, told as one report.

finding    which files are blueprints
checkouts  which of them git takes for copies
jobs       what is done with one of them, in a worker
workers    processes: fed, watched, recycled; worker is the side of one
fleet_run  the job over all of them
conflicts  what no blueprint can know alone: that another one takes its name, state or program
model      what comes back
"""

from __future__ import annotations

from mlops_iac.api.fleet.finding import blueprints
from mlops_iac.api.fleet.fleet_run import run
from mlops_iac.api.fleet.jobs import Compile, Job, Policies, Preview, Validate
from mlops_iac.api.fleet.model import Identity, Outcome, Report, StackOutcome

__all__ = [
    "Compile",
    "Identity",
    "Job",
    "Outcome",
    "Policies",
    "Preview",
    "Report",
    "StackOutcome",
    "Validate",
    "blueprints",
    "run",
]
