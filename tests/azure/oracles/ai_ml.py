"""Run by the Python of an environment that has azure-ai-ml: reads definitions, writes what the client makes of them.

Standard input has a list of them with their placeholders filled; an answer has `problems`, what the client's own
validation says, and `components` and `job` as the client would send them again.
"""

import json
import sys

from azure.ai.ml._restclient.arm_ml_service.models import ComponentVersion, JobBase
from azure.ai.ml.entities import Component, Job


def component(spec):
    body = {"componentSpec": {**spec, "version": "1"}, "isAnonymous": False}
    found = Component._from_rest_object(ComponentVersion({"name": "1", "properties": body}))
    return found, found._to_rest_object().as_dict()["properties"]["componentSpec"]


def told(given):
    problems = []

    def judge(what, entity):
        problems.extend(f"{what}: {each.message}" for each in entity._validate()._errors)

    specs = {**given["components"], "pipeline": given["pipeline"]}
    components = {}
    for name, spec in specs.items():
        found, components[name] = component(spec)
        judge(name, found)
    body = {**given["job"], "jobs": given["pipeline"]["jobs"]}
    del body["componentId"]
    job = Job._from_rest_object(JobBase({"name": "run", "properties": body}))
    judge("job", job)
    sent = job._to_rest_object().as_dict()["properties"]
    return {"components": components, "job": sent, "problems": problems}


def tried(given):
    try:
        return told(given)
    except Exception as error:
        return {"problems": [f"{type(error).__name__}: {error}"]}


json.dump([tried(each) for each in json.load(sys.stdin)], sys.stdout)
