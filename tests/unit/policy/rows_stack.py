"""Rows about the stack as a whole: tags, budget, regions, sizes."""

from __future__ import annotations

import json

from mlops_iac.clouds.aws import types
from mlops_iac.values import UNKNOWN
from tests.unit.policy.stacks import TAGS, made

BUCKET = made(types.BUCKET, "data")
BARE = made(types.QUEUE, "queue", {"tags": {}})
TOLD = {
    "notifications": [{"threshold": 80, "subscriberSnsTopicArns": ["arn:aws:sns:eu-west-1:1:t"]}]
}


def machine(kind):
    return made(types.ENDPOINT_CONFIGURATION, "c", {"productionVariants": [{"instanceType": kind}]})


def pipeline(kind):
    definition = {"Steps": [{"Arguments": {"ResourceConfig": {"InstanceType": kind}}}]}
    return made(types.PIPELINE, "p", {"pipelineDefinition": json.dumps(definition)})


ROWS = {
    "owner-tag": {
        "one resource without an owner breaks it": (["the tag 'owner' is missing"], [BUCKET, BARE], {}),
        "no owner anywhere is one finding": (["nothing has the tag 'owner'"], [BARE, made(types.TOPIC, "t", {"tags": None})], {}),
        "an empty owner is none": (["the tag 'owner' is missing"], [BUCKET, made(types.TOPIC, "t", {"tags": {"owner": ""}})], {}),
        "owners everywhere keep it": ([], [BUCKET, made(types.TOPIC, "t")], {}),
        "tags that are not known yet are not judged": ([], [BUCKET, made(types.TOPIC, "t", {"tags": UNKNOWN})], {}),
        "what takes no tags needs none": ([], [BUCKET, made(types.BUCKET_POLICY, "p", {"tags": None})], {}),
        "further tags where the team asks": (["nothing has the tag 'team'"], [BUCKET], {"tags": ("owner", "team")}),
    },
    "cost-tag": {
        "no cost centre breaks it": (["nothing has the tag 'cost-centre'"], [made(types.BUCKET, "b", {"tags": {"owner": "x"}})], {}),
        "a cost centre keeps it": ([], [made(types.BUCKET, "b", {"tags": TAGS})], {}),
    },
    "missing-budget": {
        "a stack without a budget breaks it": (["nothing watches"], [BUCKET], {}),
        "a budget that tells nobody breaks it": (["nobody is told"], [BUCKET, made(types.BUDGET, "b", {"notifications": []})], {}),
        "a budget that tells somebody keeps it": ([], [BUCKET, made(types.BUDGET, "b", TOLD)], {}),
        "an empty stack costs nothing": ([], [], {}),
        "a stack that is not production is left alone": ([], [BUCKET], {"production": False}),
        "none can be had in GovCloud": ([], [BUCKET], {"region": "us-gov-west-1"}),
    },
    "allowed-regions": {
        "every region is allowed until some are listed": ([], [BUCKET], {"region": "us-east-1"}),
        "a region that is not listed breaks it": (["us-east-1 is not allowed"], [BUCKET], {"region": "us-east-1", "regions": ("eu-*",)}),
        "a region that a pattern lists keeps it": ([], [BUCKET], {"regions": ("eu-*",)}),
        "a resource elsewhere breaks it": (["us-east-1 is not allowed"], [made(types.BUCKET, "b", {"region": "us-east-1"})], {"regions": ("eu-west-1",)}),
    },
    "allowed-instances": {
        "a small machine keeps it": ([], [machine("ml.m5.xlarge")], {}),
        "eight GPUs break it": (["ml.p5.48xlarge is not allowed"], [machine("ml.p5.48xlarge")], {}),
        "they break it inside a pipeline too": (["ml.p4d.24xlarge is not allowed"], [pipeline("ml.p4d.24xlarge")], {}),
        "a type that is not on the team's list breaks it": (["ml.m5.xlarge is not allowed"], [machine("ml.m5.xlarge")], {"allowed": ("ml.c5.*",)}),
        "a type on the team's list keeps it": ([], [machine("ml.m5.xlarge")], {"allowed": ("ml.m5.*",)}),
        "a list of our own takes the place of the denied": ([], [machine("ml.p5.48xlarge")], {"denied": ()}),
        "a type that is not known yet is not judged": ([], [machine(UNKNOWN)], {"allowed": ("ml.c5.*",)}),
    },
}  # fmt: skip
