"""Rows about production: protection, endpoints, events."""

from __future__ import annotations

import json

from mlops_iac.clouds.aws import types
from mlops_iac.values import UNKNOWN
from tests.unit.policy.stacks import made

NAME = "shop-prod-api"
VARIANT = {"variantName": "main", "instanceType": "ml.m5.xlarge", "initialInstanceCount": 2}


def configuration(*variants, **inputs):
    return made(
        types.ENDPOINT_CONFIGURATION,
        "configuration",
        {"productionVariants": list(variants) or [VARIANT], **inputs},
    )


CONFIGURATION = configuration()


def endpoint(of=CONFIGURATION, **inputs):
    return made(types.ENDPOINT, "endpoint", {"name": NAME, **inputs}, endpointConfigName=of)


def alarm(name=NAME, actions=("arn:aws:sns:eu-west-1:123456789012:t",), name_="alarm", **inputs):
    given = {
        "name": name_,
        "dimensions": {"EndpointName": name, "VariantName": "main"},
        "alarmActions": list(actions),
    }
    return made(types.ALARM, "alarm", {**given, **inputs})


def scaled(least, most=4):
    given = {
        "serviceNamespace": "sagemaker",
        "minCapacity": least,
        "maxCapacity": most,
        "resourceId": f"endpoint/{NAME}/variant/main",
    }
    return made(types.SCALING_TARGET, "scaling", given)


ROLLBACK = {"autoRollbackConfiguration": {"alarms": [{"alarmName": "errors"}]}}
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
SCHEDULE = "aws:scheduler/schedule:Schedule"
JOB = made("aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition", "drift")
CAPTURED = configuration(
    dataCaptureConfig={"enableCapture": True, "initialSamplingPercentage": 100}
)
SAMPLED_OUT = configuration(
    dataCaptureConfig={"enableCapture": True, "initialSamplingPercentage": 0}
)


def called(principal):
    """A function without a queue, and who may call it."""
    function = made(types.FUNCTION, "f")
    permission = "aws:lambda/permission:Permission"
    return [function, made(permission, "p", {"principal": principal}, function=function)]


RUNS = "SageMaker Model Building Pipeline Execution Status Change"
PIPELINE = made(types.PIPELINE, "churn", {"pipelineName": "churn"})


def telling(detail, kind=RUNS):
    """A pipeline, and a rule with a target that hears of some events."""
    pattern = json.dumps({"source": ["aws.sagemaker"], "detail-type": [kind], "detail": detail})
    rule = made(types.EVENT_RULE, "runs", {"eventPattern": pattern})
    return [PIPELINE, rule, made(types.EVENT_TARGET, "target", {"arn": "t"}, rule=rule)]


ROWS = {
    "percentile-alarms": {
        "a percentile of few calls breaks it": (["one slow call"], [alarm(extendedStatistic="p99")], {}),
        "evaluating it all the same breaks it": (["one slow call"], [alarm(extendedStatistic="p99", evaluateLowSampleCountPercentiles="evaluate")], {}),
        "waiting for enough calls keeps it": ([], [alarm(extendedStatistic="p99", evaluateLowSampleCountPercentiles="ignore")], {}),
        "an average is no percentile": ([], [alarm(statistic="Average")], {}),
        "a trimmed mean is none": ([], [alarm(extendedStatistic="tm99")], {}),
    },
    "pipeline-failures": {
        "a pipeline that no rule hears of breaks it": (["nobody is told"], [PIPELINE], {}),
        "a stack that is not production is left alone": ([], [PIPELINE], {"production": False}),
        "a rule on its failures keeps it": ([], telling({"pipelineArn": ["${sagemaker.Pipeline/churn.arn}"], "currentPipelineExecutionStatus": ["Failed"]}), {}),
        "a rule on every pipeline keeps it": ([], telling({"currentPipelineExecutionStatus": ["Failed"]}), {}),
        "a rule on another pipeline breaks it": (["nobody is told"], telling({"pipelineArn": ["arn:aws:sagemaker:eu-west-1:1:pipeline/other"]}), {}),
        "a rule on successes breaks it": (["nobody is told"], telling({"currentPipelineExecutionStatus": ["Succeeded"]}), {}),
        "a rule on steps breaks it": (["nobody is told"], telling({}, "SageMaker Model Building Pipeline Execution Step Status Change"), {}),
        "a rule without a target breaks it": (["nobody is told"], telling({})[:2], {}),
        "a pattern that is not known yet is not judged": ([], [PIPELINE, r := made(types.EVENT_RULE, "runs", {"eventPattern": UNKNOWN}), made(types.EVENT_TARGET, "target", {"arn": "t"}, rule=r)], {}),
    },
    "protection": {
        "a bucket that can be deleted breaks it": (["can be deleted"], [made(types.BUCKET, "data")], {}),
        "a protected bucket keeps it": ([], [made(types.BUCKET, "data", protect=True)], {}),
        "a protected bucket that is emptied first breaks it": (["all that is in it"], [made(types.BUCKET, "data", {"forceDestroy": True}, protect=True)], {}),
        "keys and registries count": (["can be deleted", "can be deleted"], [made(types.KEY, "k"), made(types.MODEL_GROUP, "g")], {}),
        "a queue holds nothing for long": ([], [made(types.QUEUE, "q")], {}),
        "an endpoint that can be deleted breaks it": (["answers callers"], [CONFIGURATION, endpoint()], {}),
        "a protected endpoint keeps it": ([], [CONFIGURATION, made(types.ENDPOINT, "endpoint", protect=True)], {}),
        "a stack that is not production is left alone": ([], [made(types.BUCKET, "data")], {"production": False}),
    },
    "endpoint-rollback": {
        "an endpoint without rollback breaks it": (["no alarm takes"], [CONFIGURATION, endpoint()], {}),
        "a rollback without alarms breaks it": (["no alarm takes"], [CONFIGURATION, endpoint(deploymentConfig={"autoRollbackConfiguration": {"alarms": []}})], {}),
        "alarms keep it": ([], [CONFIGURATION, endpoint(deploymentConfig=ROLLBACK)], {}),
        "one object or a list of one is the same": ([], [CONFIGURATION, endpoint(deploymentConfig=[{"autoRollbackConfiguration": [ROLLBACK["autoRollbackConfiguration"]]}])], {}),
        "an alarm of the rollback that tells nobody breaks it": (["nobody is told"], [CONFIGURATION, endpoint(deploymentConfig=ROLLBACK), alarm(actions=(), name_="errors")], {}),
        "one that tells somebody keeps it": ([], [CONFIGURATION, endpoint(deploymentConfig=ROLLBACK), alarm(name_="errors")], {}),
        "another alarm may tell nobody": ([], [CONFIGURATION, endpoint(deploymentConfig=ROLLBACK), alarm(actions=(), name_="cost")], {}),
        "what is not known yet is not judged": ([], [CONFIGURATION, endpoint(deploymentConfig=UNKNOWN)], {}),
        "an asynchronous endpoint has nobody who waits": ([], [a := configuration(asyncInferenceConfig={"outputConfig": {}}), endpoint(a)], {}),
        "a stack that is not production is left alone": ([], [CONFIGURATION, endpoint()], {"production": False}),
    },
    "endpoint-monitor": {
        "an endpoint that nothing watches breaks it": (["nothing watches"], [CONFIGURATION, endpoint()], {}),
        "an alarm that tells somebody keeps it": ([], [CONFIGURATION, endpoint(), alarm()], {}),
        "an alarm that tells nobody breaks it": (["nobody is told"], [CONFIGURATION, endpoint(), alarm(actions=())], {}),
        "an alarm of another endpoint does not help": (["nothing watches"], [CONFIGURATION, endpoint(), alarm("other")], {}),
        "an alarm over a formula counts": (
            [], [CONFIGURATION, endpoint(), alarm("", dimensions={}, metricQueries=[{"metric": {"dimensions": {"EndpointName": NAME}}}])], {},
        ),
        "a stack that is not production is left alone": ([], [CONFIGURATION, endpoint()], {"production": False}),
    },
    "single-instance": {
        "one machine breaks it": (["main runs on 1"], [one := configuration({**VARIANT, "initialInstanceCount": 1}), endpoint(one)], {}),
        "two machines keep it": ([], [CONFIGURATION, endpoint()], {}),
        "an endpoint that may shrink to one breaks it": (["may shrink to 1"], [CONFIGURATION, endpoint(), scaled(1)], {}),
        "it is said once": (["may shrink to 1"], [one, endpoint(one), scaled(1)], {}),
        "scaling from two keeps it": ([], [one, endpoint(one), scaled(2)], {}),
        "three where the team asks for three": (["3 survive"], [CONFIGURATION, endpoint()], {"least": 3}),
        "a serverless variant has no machines": ([], [s := configuration({"variantName": "main", "serverlessConfig": {"memorySizeInMb": 1024}}), endpoint(s)], {}),
        "a stack that is not production is left alone": ([], [one, endpoint(one)], {"production": False}),
    },
    "model-provenance": {
        "a model of files breaks it": (["nobody approved"], [made(types.MODEL, "m", {"primaryContainer": {"image": "x", "modelDataUrl": "s3://x"}})], {}),
        "a registered version keeps it": ([], [made(types.MODEL, "m", {"primaryContainer": {"modelPackageName": "arn:aws:sagemaker:eu-west-1:1:model-package/g/1"}})], {}),
        "a version that is not known yet keeps it": ([], [made(types.MODEL, "m", {"primaryContainer": {"modelPackageName": UNKNOWN}})], {}),
        "a stack that is not production is left alone": ([], [made(types.MODEL, "m", {"primaryContainer": {"image": "x"}})], {"production": False}),
    },
    "drift-capture": {
        "a drift job without captures breaks it": (["nothing to read"], [CONFIGURATION, endpoint(), JOB], {}),
        "a drift job with captures keeps it": ([], [CAPTURED, endpoint(CAPTURED), JOB], {}),
        "captures of nothing break it": (["nothing to read"], [SAMPLED_OUT, endpoint(SAMPLED_OUT), JOB], {}),
        "an endpoint without drift limits needs no captures": ([], [CONFIGURATION, endpoint()], {}),
    },
    "undelivered": {
        "a target without a queue breaks it": (["is lost"], [made(TARGET, "t")], {}),
        "a target with one keeps it": ([], [made(TARGET, "t", {"deadLetterConfig": {"arn": "arn:aws:sqs:eu-west-1:1:q"}})], {}),
        "a schedule without one breaks it": (["is lost"], [made(SCHEDULE, "s", {"target": {"arn": "x"}})], {}),
        "a schedule with one keeps it": ([], [made(SCHEDULE, "s", {"target": {"deadLetterConfig": {"arn": UNKNOWN}}})], {}),
        "a function that events call breaks it": (["is lost"], called("events.amazonaws.com"), {}),
        "a function whose caller waits keeps it": ([], called("arn:aws:iam::123456789012:role/pipeline"), {}),
    },
}  # fmt: skip
