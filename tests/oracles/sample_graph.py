"""A small graph with every resource type of the platform, as a capture would give it.

Written by hand from `resource-map` rows, so that the validators can be tested (and be made to
fail) apart from the components, whose real graph they check too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mlops_iac.graph.model import Resource, ResourceGraph

ACCOUNT, REGION = "123456789012", "eu-west-1"
TAGS = {"project": "sample", "stack": "prod"}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _trust(service: str) -> str:
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
    )


def _key_policy(*services: str) -> str:
    owner = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return _policy(
        {"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"Service": [f"{name}.amazonaws.com" for name in services]},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        },
    )


def _tls_only(arn: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


BUCKET, LOGS = "${s3.Bucket/data.bucket}", "${s3.Bucket/logs.bucket}"
BUCKET_ARN, LOGS_ARN = "${s3.Bucket/data.arn}", "${s3.Bucket/logs.arn}"
KEY, ALERT_KEY = "${kms.Key/key.arn}", "${kms.Key/alert-key.arn}"
TOPIC, QUEUE = "${sns.Topic/alerts.arn}", "${sqs.Queue/undelivered.arn}"
PIPELINE_ARN = "${sagemaker.Pipeline/pipeline.arn}"
IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def _bucket(name: str) -> list[tuple[str, str, dict[str, Any]]]:
    ref = f"${{s3.Bucket/{name}.bucket}}"
    arn = f"${{s3.Bucket/{name}.arn}}"
    return [
        ("s3/bucket:Bucket", name, {"tags": TAGS}),
        (
            "s3/bucketVersioning:BucketVersioning",
            f"{name}-versioning",
            {"bucket": ref, "versioningConfiguration": {"status": "Enabled"}},
        ),
        (
            "s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            f"{name}-public",
            {
                "bucket": ref,
                "blockPublicAcls": True,
                "blockPublicPolicy": True,
                "ignorePublicAcls": True,
                "restrictPublicBuckets": True,
            },
        ),
        (
            "s3/bucketOwnershipControls:BucketOwnershipControls",
            f"{name}-ownership",
            {"bucket": ref, "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        ),
        (
            "s3/bucketPolicy:BucketPolicy",
            f"{name}-policy",
            {"bucket": ref, "policy": _policy(_tls_only(arn))},
        ),
    ]


def _rows() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (
            "kms/key:Key",
            "key",
            {"enableKeyRotation": True, "policy": _key_policy("logs"), "tags": TAGS},
        ),
        ("kms/alias:Alias", "alias", {"name": "alias/sample", "targetKeyId": "${kms.Key/key.id}"}),
        (
            "kms/key:Key",
            "alert-key",
            {
                "enableKeyRotation": True,
                "policy": _key_policy("cloudwatch", "events", "budgets"),
                "tags": TAGS,
            },
        ),
        *_bucket("data"),
        *_bucket("logs"),
        (
            "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "data-encryption",
            {
                "bucket": BUCKET,
                "rules": [
                    {
                        "applyServerSideEncryptionByDefault": {
                            "sseAlgorithm": "aws:kms",
                            "kmsMasterKeyId": KEY,
                        },
                        "bucketKeyEnabled": True,
                    }
                ],
            },
        ),
        (
            "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "logs-encryption",
            {
                "bucket": LOGS,
                "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
            },
        ),
        (
            "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "data-lifecycle",
            {
                "bucket": BUCKET,
                "rules": [
                    {
                        "id": "captures",
                        "status": "Enabled",
                        "filter": {"prefix": "captures/"},
                        "expiration": {"days": 30},
                        "noncurrentVersionExpiration": {"noncurrentDays": 30},
                        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                    }
                ],
            },
        ),
        (
            "s3/bucketLogging:BucketLogging",
            "data-logging",
            {"bucket": BUCKET, "targetBucket": LOGS, "targetPrefix": "data/"},
        ),
        (
            "s3/bucketNotification:BucketNotification",
            "data-events",
            {"bucket": BUCKET, "eventbridge": True},
        ),
        (
            "s3/bucketObjectv2:BucketObjectv2",
            "code",
            {"bucket": BUCKET, "key": "code/a.txt", "content": "text", "tags": TAGS},
        ),
        (
            "iam/role:Role",
            "role",
            {"assumeRolePolicy": _trust("sagemaker"), "tags": TAGS},
        ),
        (
            "iam/rolePolicy:RolePolicy",
            "role-policy",
            {
                "role": "${iam.Role/role.name}",
                "policy": _policy(
                    {
                        "Sid": "ReadData",
                        "Effect": "Allow",
                        "Action": ["s3:GetObject"],
                        "Resource": f"{BUCKET_ARN}/*",
                    },
                    {
                        "Sid": "UseKey",
                        "Effect": "Allow",
                        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                        "Resource": KEY,
                    },
                ),
            },
        ),
        (
            "iam/policy:Policy",
            "policy",
            {
                "description": "Starts the training",
                "policy": _policy(
                    {
                        "Effect": "Allow",
                        "Action": "sagemaker:StartPipelineExecution",
                        "Resource": PIPELINE_ARN,
                    }
                ),
                "tags": TAGS,
            },
        ),
        ("iam/role:Role", "scheduler", {"assumeRolePolicy": _trust("scheduler"), "tags": TAGS}),
        (
            "iam/rolePolicyAttachment:RolePolicyAttachment",
            "attachment",
            {"role": "${iam.Role/scheduler.name}", "policyArn": "${iam.Policy/policy.arn}"},
        ),
        (
            "sagemaker/modelPackageGroup:ModelPackageGroup",
            "group",
            {"modelPackageGroupName": "sample", "tags": TAGS},
        ),
        (
            "sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy",
            "group-policy",
            {
                "modelPackageGroupName": "${sagemaker.ModelPackageGroup/group.modelPackageGroupName}",
                "resourcePolicy": _policy(
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
                        "Action": "sagemaker:DescribeModelPackageGroup",
                        "Resource": "${sagemaker.ModelPackageGroup/group.arn}",
                    }
                ),
            },
        ),
        (
            "sagemaker/pipeline:Pipeline",
            "pipeline",
            {
                "pipelineName": "sample",
                "pipelineDisplayName": "sample",
                "roleArn": "${iam.Role/role.arn}",
                "pipelineDefinition": json.dumps(
                    {
                        "Version": "2020-12-01",
                        "Steps": [
                            {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
                        ],
                    }
                ),
                "tags": TAGS,
            },
        ),
        (
            "sagemaker/model:Model",
            "model",
            {
                "executionRoleArn": "${iam.Role/role.arn}",
                "primaryContainer": {
                    "image": IMAGE,
                    "modelDataUrl": "s3://sample/model.tar.gz",
                    "environment": {"LOG_LEVEL": "info"},
                },
                "tags": TAGS,
            },
        ),
        (
            "sagemaker/endpointConfiguration:EndpointConfiguration",
            "configuration",
            {
                "namePrefix": "sample-",
                "kmsKeyArn": KEY,
                "productionVariants": [
                    {
                        "variantName": "main",
                        "modelName": "${sagemaker.Model/model.name}",
                        "instanceType": "ml.m5.xlarge",
                        "initialInstanceCount": 2,
                        "initialVariantWeight": 1,
                    }
                ],
                "dataCaptureConfig": {
                    "enableCapture": True,
                    "initialSamplingPercentage": 100,
                    "destinationS3Uri": "s3://sample/captures",
                    "kmsKeyId": KEY,
                    "captureOptions": [{"captureMode": "Input"}, {"captureMode": "Output"}],
                    "captureContentTypeHeader": {"jsonContentTypes": ["application/json"]},
                },
                "tags": TAGS,
            },
        ),
        (
            "cloudwatch/metricAlarm:MetricAlarm",
            "alarm",
            {
                "name": "sample-latency",
                "namespace": "AWS/SageMaker",
                "metricName": "ModelLatency",
                "dimensions": {"EndpointName": "sample", "VariantName": "main"},
                "extendedStatistic": "p99",
                "threshold": 300000,
                "comparisonOperator": "GreaterThanThreshold",
                "period": 60,
                "evaluationPeriods": 5,
                "datapointsToAlarm": 3,
                "treatMissingData": "notBreaching",
                "alarmActions": [TOPIC],
                "tags": TAGS,
            },
        ),
        (
            "sagemaker/endpoint:Endpoint",
            "endpoint",
            {
                "name": "sample",
                "endpointConfigName": "${sagemaker.EndpointConfiguration/configuration.name}",
                "deploymentConfig": {
                    "blueGreenUpdatePolicy": {
                        "trafficRoutingConfiguration": {
                            "type": "CANARY",
                            "canarySize": {"type": "CAPACITY_PERCENT", "value": 50},
                            "waitIntervalInSeconds": 600,
                        },
                        "terminationWaitInSeconds": 300,
                    },
                    "autoRollbackConfiguration": {
                        "alarms": [{"alarmName": "${cloudwatch.MetricAlarm/alarm.name}"}]
                    },
                },
                "tags": TAGS,
            },
        ),
        (
            "appautoscaling/target:Target",
            "scaling",
            {
                "serviceNamespace": "sagemaker",
                "resourceId": "endpoint/${sagemaker.Endpoint/endpoint.name}/variant/main",
                "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "minCapacity": 2,
                "maxCapacity": 4,
                "tags": TAGS,
            },
        ),
        (
            "appautoscaling/policy:Policy",
            "scaling-policy",
            {
                "name": "requests",
                "policyType": "TargetTrackingScaling",
                "serviceNamespace": "${appautoscaling.Target/scaling.serviceNamespace}",
                "resourceId": "${appautoscaling.Target/scaling.resourceId}",
                "scalableDimension": "${appautoscaling.Target/scaling.scalableDimension}",
                "targetTrackingScalingPolicyConfiguration": {
                    "targetValue": 200,
                    "predefinedMetricSpecification": {
                        "predefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                    },
                    "scaleInCooldown": 300,
                    "scaleOutCooldown": 60,
                },
            },
        ),
        (
            "cloudwatch/compositeAlarm:CompositeAlarm",
            "any-alarm",
            {
                "alarmName": "sample-any",
                "alarmRule": 'ALARM("${cloudwatch.MetricAlarm/alarm.name}")',
                "alarmActions": [TOPIC],
                "tags": TAGS,
            },
        ),
        (
            "cloudwatch/dashboard:Dashboard",
            "dashboard",
            {
                "dashboardName": "sample",
                "dashboardBody": json.dumps(
                    {
                        "widgets": [
                            {
                                "type": "text",
                                "x": 0,
                                "y": 0,
                                "width": 6,
                                "height": 3,
                                "properties": {"markdown": "sample"},
                            }
                        ]
                    }
                ),
            },
        ),
        (
            "cloudwatch/logGroup:LogGroup",
            "log",
            {"retentionInDays": 400, "kmsKeyId": KEY, "tags": TAGS},
        ),
        ("sns/topic:Topic", "alerts", {"kmsMasterKeyId": ALERT_KEY, "tags": TAGS}),
        (
            "sns/topicPolicy:TopicPolicy",
            "alerts-policy",
            {
                "arn": TOPIC,
                "policy": _policy(
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "cloudwatch.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": TOPIC,
                        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                    }
                ),
            },
        ),
        (
            "sns/topicSubscription:TopicSubscription",
            "oncall",
            {"topic": TOPIC, "protocol": "email", "endpoint": "oncall@acme.example"},
        ),
        (
            "sqs/queue:Queue",
            "undelivered",
            {"messageRetentionSeconds": 1209600, "sqsManagedSseEnabled": True, "tags": TAGS},
        ),
        (
            "sqs/queuePolicy:QueuePolicy",
            "undelivered-policy",
            {
                "queueUrl": "${sqs.Queue/undelivered.url}",
                "policy": _policy(
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": QUEUE,
                        "Condition": {
                            "ArnEquals": {"aws:SourceArn": "${cloudwatch.EventRule/new-data.arn}"}
                        },
                    }
                ),
            },
        ),
        ("scheduler/scheduleGroup:ScheduleGroup", "schedules", {"tags": TAGS}),
        (
            "scheduler/schedule:Schedule",
            "weekly",
            {
                "name": "weekly",
                "groupName": "${scheduler.ScheduleGroup/schedules.name}",
                "scheduleExpression": "cron(0 3 ? * MON *)",
                "scheduleExpressionTimezone": "Europe/Amsterdam",
                "flexibleTimeWindow": {"mode": "OFF"},
                "target": {
                    "arn": PIPELINE_ARN,
                    "roleArn": "${iam.Role/scheduler.arn}",
                    "retryPolicy": {
                        "maximumEventAgeInSeconds": 3600,
                        "maximumRetryAttempts": 3,
                    },
                    "deadLetterConfig": {"arn": QUEUE},
                },
            },
        ),
        (
            "lambda/function:Function",
            "cooldown",
            {
                "runtime": "python3.13",
                "handler": "cooldown.handler",
                "s3Bucket": BUCKET,
                "s3Key": "${s3.BucketObjectv2/code.key}",
                "role": "${iam.Role/role.arn}",
                "timeout": 60,
                "memorySize": 128,
                "environment": {"variables": {"COOLDOWN_HOURS": "24"}},
                "loggingConfig": {
                    "logFormat": "Text",
                    "logGroup": "${cloudwatch.LogGroup/log.name}",
                },
                "deadLetterConfig": {"targetArn": QUEUE},
                "tags": TAGS,
            },
        ),
        (
            "cloudwatch/eventRule:EventRule",
            "new-data",
            {
                "description": "Files arrived",
                "eventPattern": json.dumps(
                    {"source": ["aws.s3"], "detail": {"bucket": {"name": [BUCKET]}}}
                ),
                "tags": TAGS,
            },
        ),
        (
            "cloudwatch/eventTarget:EventTarget",
            "new-data-target",
            {
                "rule": "${cloudwatch.EventRule/new-data.name}",
                "arn": "${lambda.Function/cooldown.arn}",
                "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 3},
                "deadLetterConfig": {"arn": QUEUE},
            },
        ),
        (
            "lambda/permission:Permission",
            "permission",
            {
                "action": "lambda:InvokeFunction",
                "function": "${lambda.Function/cooldown.name}",
                "principal": "events.amazonaws.com",
                "sourceArn": "${cloudwatch.EventRule/new-data.arn}",
            },
        ),
        (
            "lambda/eventSourceMapping:EventSourceMapping",
            "mapping",
            {"eventSourceArn": QUEUE, "functionName": "${lambda.Function/cooldown.arn}"},
        ),
        (
            "budgets/budget:Budget",
            "budget",
            {
                "budgetType": "COST",
                "limitAmount": "500",
                "limitUnit": "USD",
                "timeUnit": "MONTHLY",
                "costFilters": [{"name": "TagKeyValue", "values": ["user:project$sample"]}],
                "notifications": [
                    {
                        "comparisonOperator": "GREATER_THAN",
                        "threshold": 80,
                        "thresholdType": "PERCENTAGE",
                        "notificationType": "ACTUAL",
                        "subscriberSnsTopicArns": [TOPIC],
                    }
                ],
                "tags": TAGS,
            },
        ),
        (
            "cloudtrail/trail:Trail",
            "audit",
            {
                "name": "sample-audit",
                "s3BucketName": LOGS,
                "includeGlobalServiceEvents": True,
                "isMultiRegionTrail": True,
                "enableLogFileValidation": True,
                "kmsKeyId": KEY,
                "advancedEventSelectors": [
                    {
                        "name": "Objects",
                        "fieldSelectors": [
                            {"field": "eventCategory", "equals": ["Data"]},
                            {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                            {"field": "resources.ARN", "startsWiths": [f"{BUCKET_ARN}/"]},
                        ],
                    }
                ],
                "tags": TAGS,
            },
        ),
        *_network(),
    ]


def _network() -> list[tuple[str, str, dict[str, Any]]]:
    vpc, group = "${ec2.Vpc/network.id}", "${ec2.SecurityGroup/jobs.id}"
    subnet, table = "${ec2.Subnet/private.id}", "${ec2.RouteTable/routes.id}"
    mine = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": mine}
    return [
        (
            "ec2/vpc:Vpc",
            "network",
            {
                "cidrBlock": "10.0.0.0/16",
                "enableDnsHostnames": True,
                "enableDnsSupport": True,
                "tags": TAGS,
            },
        ),
        (
            "ec2/subnet:Subnet",
            "private",
            {
                "vpcId": vpc,
                "cidrBlock": "10.0.0.0/20",
                "availabilityZone": "eu-west-1a",
                "mapPublicIpOnLaunch": False,
                "tags": TAGS,
            },
        ),
        ("ec2/routeTable:RouteTable", "routes", {"vpcId": vpc, "tags": TAGS}),
        (
            "ec2/routeTableAssociation:RouteTableAssociation",
            "private-routes",
            {"subnetId": subnet, "routeTableId": table},
        ),
        (
            "ec2/defaultSecurityGroup:DefaultSecurityGroup",
            "default",
            {"vpcId": vpc, "tags": TAGS},
        ),
        (
            "ec2/securityGroup:SecurityGroup",
            "jobs",
            {"vpcId": vpc, "description": "Jobs and serving containers", "tags": TAGS},
        ),
        (
            "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            "members-in",
            {
                "securityGroupId": group,
                "description": "machines of one job",
                "ipProtocol": "-1",
                "referencedSecurityGroupId": group,
                "tags": TAGS,
            },
        ),
        (
            "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
            "objects-out",
            {
                "securityGroupId": group,
                "description": "objects",
                "ipProtocol": "tcp",
                "fromPort": 443,
                "toPort": 443,
                "prefixListId": "${ec2.VpcEndpoint/objects.prefixListId}",
                "tags": TAGS,
            },
        ),
        (
            "ec2/vpcEndpoint:VpcEndpoint",
            "objects",
            {
                "vpcId": vpc,
                "serviceName": "com.amazonaws.eu-west-1.s3",
                "vpcEndpointType": "Gateway",
                "routeTableIds": [table],
                "policy": _policy(
                    {**anybody, "Action": "s3:GetObject", "Resource": f"{BUCKET_ARN}/*"}
                ),
                "tags": TAGS,
            },
        ),
        (
            "ec2/vpcEndpoint:VpcEndpoint",
            "identities",
            {
                "vpcId": vpc,
                "serviceName": "com.amazonaws.eu-west-1.sts",
                "vpcEndpointType": "Interface",
                "privateDnsEnabled": True,
                "subnetIds": [subnet],
                "securityGroupIds": [group],
                "policy": _policy({**anybody, "Action": "sts:GetCallerIdentity", "Resource": "*"}),
                "tags": TAGS,
            },
        ),
        (
            "ec2/flowLog:FlowLog",
            "traffic",
            {
                "vpcId": vpc,
                "trafficType": "ALL",
                "logDestinationType": "cloud-watch-logs",
                "logDestination": "${cloudwatch.LogGroup/log.arn}",
                "iamRoleArn": "${iam.Role/role.arn}",
                "maxAggregationInterval": 600,
                "tags": TAGS,
            },
        ),
    ]


def sample_graph() -> ResourceGraph:
    """Every type once, references as a capture prints them."""
    resources = []
    for type_, name, inputs in _rows():
        urn = f"urn:pulumi:prod::sample::aws:{type_}::{name}"
        resources.append(
            Resource(urn=urn, type=f"aws:{type_}", name=name, custom=True, inputs=inputs)
        )
    return ResourceGraph("sample", "prod", tuple(resources))


def with_defect(
    graph: ResourceGraph, name: str, change: Callable[[dict[str, Any]], None]
) -> ResourceGraph:
    """A copy in which the inputs of the resource with that logical name are changed."""
    found = [r for r in graph if r.name == name]
    assert len(found) == 1, f"{len(found)} resources are called {name}"
    inputs = json.loads(json.dumps(found[0].inputs))
    change(inputs)
    changed = replace(found[0], inputs=inputs)
    return replace(graph, resources=tuple(changed if r is found[0] else r for r in graph))
