"""Every type: created, read back without drift, updated, read back again, deleted."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest

from mlops_iac.emulators.aws.resources import handler_for, supported_types
from mlops_iac.values import contains_unknown

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
            }
        ],
    }
)


def policy(*actions, resource="*"):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def resource_policy(action, resource, principal="cloudwatch.amazonaws.com"):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": principal},
                    "Action": action,
                    "Resource": resource,
                }
            ],
        }
    )


ROLE = "arn:aws:iam::123456789012:role/shared-role"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:shared-topic"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:shared-queue"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"
PIPELINE = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/shared-pipeline"
TAGS = {"cost-centre": "4711", "owner": "analytics@acme.example"}
CONFIG = {
    "name": "shared-config",
    "productionVariants": [
        {
            "variantName": "champion",
            "modelName": "shared-model",
            "instanceType": "ml.m5.xlarge",
            "initialInstanceCount": 1,
        }
    ],
}


def package() -> str:
    with io.BytesIO() as raw:
        with zipfile.ZipFile(raw, "w") as archive:
            archive.writestr("index.py", "def handler(event, context): return 1\n")
        return base64.b64encode(raw.getvalue()).decode()


# What stands before a case starts: (type, inputs).
SHARED = [
    ("aws:s3/bucket:Bucket", {"bucket": "shared-bucket"}),
    (
        "aws:s3/bucketVersioning:BucketVersioning",
        {"bucket": "shared-bucket", "versioningConfiguration": {"status": "Enabled"}},
    ),
    ("aws:s3/bucket:Bucket", {"bucket": "shared-logs"}),
    (
        "aws:s3/bucketPolicy:BucketPolicy",
        {
            "bucket": "shared-logs",
            "policy": resource_policy(
                "s3:PutObject", "arn:aws:s3:::shared-logs/*", "logging.s3.amazonaws.com"
            ),
        },
    ),
    ("aws:iam/role:Role", {"name": "shared-role", "assumeRolePolicy": TRUST}),
    ("aws:sns/topic:Topic", {"name": "shared-topic"}),
    ("aws:sqs/queue:Queue", {"name": "shared-queue"}),
    (
        "aws:sagemaker/model:Model",
        {
            "name": "shared-model",
            "executionRoleArn": ROLE,
            "primaryContainer": {"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/x:1"},
        },
    ),
    ("aws:sagemaker/endpointConfiguration:EndpointConfiguration", CONFIG),
    (
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        {**CONFIG, "name": "shared-config-2"},
    ),
    (
        "aws:sagemaker/endpoint:Endpoint",
        {"name": "shared-endpoint", "endpointConfigName": "shared-config"},
    ),
    ("aws:scheduler/scheduleGroup:ScheduleGroup", {"name": "shared-group"}),
    ("aws:glue/catalogDatabase:CatalogDatabase", {"name": "shared_database"}),
    ("aws:cloudwatch/eventRule:EventRule", {"name": "shared-rule", "scheduleExpression": "rate(1 day)"}),
    (
        "aws:s3/bucketObjectv2:BucketObjectv2",
        {"bucket": "shared-bucket", "key": "code.zip", "contentBase64": package()},
    ),
    (
        "aws:lambda/function:Function",
        {
            "name": "shared-function",
            "role": ROLE,
            "runtime": "python3.12",
            "handler": "index.handler",
            "s3Bucket": "shared-bucket",
            "s3Key": "code.zip",
        },
    ),
    (
        "aws:appautoscaling/target:Target",
        {
            "serviceNamespace": "sagemaker",
            "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "resourceId": "endpoint/shared-endpoint/variant/champion",
            "minCapacity": 1,
            "maxCapacity": 4,
        },
    ),
]  # fmt: skip

BUCKET = {"bucket": "shared-bucket"}
ALARM = {
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 3,
    "datapointsToAlarm": 2,
    "metricName": "ModelLatency",
    "namespace": "AWS/SageMaker",
    "period": 60,
    "extendedStatistic": "p99",
    "threshold": 300000,
    "treatMissingData": "notBreaching",
    "alarmDescription": "p99 latency",
    "dimensions": {"EndpointName": "api", "VariantName": "champion"},
    "alarmActions": [TOPIC],
    "okActions": [TOPIC],
    "tags": TAGS,
}
SCHEDULE = {
    "groupName": "shared-group",
    "scheduleExpression": "cron(0 3 ? * MON *)",
    "scheduleExpressionTimezone": "Europe/Amsterdam",
    "flexibleTimeWindow": {"mode": "OFF"},
    "target": {
        "arn": PIPELINE,
        "roleArn": ROLE,
        "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 2},
        "deadLetterConfig": {"arn": QUEUE},
        "sagemakerPipelineParameters": {"pipelineParameters": [{"name": "P", "value": "v"}]},
    },
}
SCALING = {
    "policyType": "TargetTrackingScaling",
    "serviceNamespace": "sagemaker",
    "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "resourceId": "endpoint/shared-endpoint/variant/champion",
    "targetTrackingScalingPolicyConfiguration": {
        "targetValue": 200,
        "scaleInCooldown": 300,
        "scaleOutCooldown": 60,
        "predefinedMetricSpecification": {
            "predefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
    },
}
BUDGET = {
    "budgetType": "COST",
    "timeUnit": "MONTHLY",
    "limitAmount": "300",
    "limitUnit": "USD",
    "costFilters": [{"name": "TagKeyValue", "values": ["user:project$adherence"]}],
    "notifications": [
        {
            "comparisonOperator": "GREATER_THAN",
            "notificationType": "ACTUAL",
            "threshold": 80,
            "thresholdType": "PERCENTAGE",
            "subscriberEmailAddresses": ["oncall@acme.example"],
        }
    ],
}

# type, inputs, changes of an update ({} where every property replaces)
CASES = [
    ("aws:s3/bucket:Bucket", {"tags": TAGS, "forceDestroy": True}, {"tags": {"owner": "x"}}),
    (
        "aws:s3/bucketVersioning:BucketVersioning",
        {**BUCKET, "versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
    ),
    (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {
            **BUCKET,
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
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
    ),
    (
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {**BUCKET, "blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True,
         "restrictPublicBuckets": True},
        {"blockPublicAcls": False},
    ),
    (
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        {**BUCKET, "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "BucketOwnerPreferred"}},
    ),
    (
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {
            **BUCKET,
            "rules": [
                {
                    "id": "captures",
                    "status": "Enabled",
                    "filter": {"prefix": "captures/"},
                    "expiration": {"days": 30},
                    "noncurrentVersionExpiration": {"noncurrentDays": 7},
                },
                {
                    "id": "uploads",
                    "status": "Enabled",
                    "filter": {},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                },
                {
                    "id": "everything",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": 400},
                },
                {
                    "id": "tagged",
                    "status": "Enabled",
                    "filter": {"and": {"prefix": "x/", "tags": {"a": "b", "c": "d"}}},
                    "transitions": [{"days": 60, "storageClass": "GLACIER"}],
                },
            ],
        },
        {
            "rules": [
                {
                    "id": "captures",
                    "status": "Enabled",
                    "filter": {"prefix": "captures/"},
                    "expiration": {"days": 90},
                }
            ]
        },
    ),
    (
        "aws:s3/bucketPolicy:BucketPolicy",
        {**BUCKET, "policy": resource_policy("s3:GetObject", "arn:aws:s3:::shared-bucket/*")},
        {"policy": resource_policy("s3:PutObject", "arn:aws:s3:::shared-bucket/*")},
    ),
    (
        "aws:s3/bucketLogging:BucketLogging",
        {**BUCKET, "targetBucket": "shared-logs", "targetPrefix": "data/"},
        {"targetPrefix": "other/"},
    ),
    (
        "aws:s3/bucketNotification:BucketNotification",
        {**BUCKET, "eventbridge": True},
        {
            "queues": [
                {
                    "id": "new",
                    "queueArn": QUEUE,
                    "events": ["s3:ObjectCreated:*"],
                    "filterPrefix": "in/",
                    "filterSuffix": ".csv",
                }
            ]
        },
    ),
    (
        "aws:s3/bucketObjectv2:BucketObjectv2",
        {**BUCKET, "key": "data/x.csv", "content": "a,b\n1,2\n", "contentType": "text/csv",
         "serverSideEncryption": "aws:kms", "kmsKeyId": KEY, "sourceHash": "1", "tags": TAGS},
        {"content": "a,b\n3,4\n", "sourceHash": "2", "tags": {"owner": "x"}},
    ),
    (
        "aws:kms/key:Key",
        {
            "description": "data",
            "enableKeyRotation": True,
            "deletionWindowInDays": 7,
            "policy": policy("kms:*"),
            "tags": TAGS,
        },
        {"description": "other", "enableKeyRotation": False, "tags": {"owner": "x"},
         "policy": policy("kms:Decrypt")},
    ),
    (
        "aws:kms/alias:Alias",
        {"name": "alias/adherence", "targetKeyId": "$key"},
        {"targetKeyId": "$key2"},
    ),
    (
        "aws:iam/role:Role",
        {"assumeRolePolicy": TRUST, "description": "serves", "maxSessionDuration": 7200,
         "path": "/mlops/", "tags": TAGS},
        {"description": "serves still", "maxSessionDuration": 3600, "tags": {"owner": "x"},
         "assumeRolePolicy": TRUST.replace("sagemaker", "lambda")},
    ),
    (
        "aws:iam/rolePolicy:RolePolicy",
        {"role": "shared-role", "policy": policy("s3:GetObject", "s3:PutObject")},
        {"policy": policy("s3:GetObject")},
    ),
    (
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"role": "shared-role", "policyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
        {},
    ),
    (
        "aws:iam/policy:Policy",
        {"description": "d", "policy": policy("s3:GetObject"), "tags": TAGS},
        {"policy": policy("s3:PutObject"), "tags": {"owner": "x"}},
    ),
    (
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
        {"modelPackageGroupName": "adherence", "modelPackageGroupDescription": "d", "tags": TAGS},
        {"tags": {"owner": "x"}},
    ),
    (
        "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy",
        {"modelPackageGroupName": "adherence", "resourcePolicy": policy("sagemaker:*")},
        {"resourcePolicy": policy("sagemaker:DescribeModelPackage")},
    ),
    (
        "aws:sagemaker/pipeline:Pipeline",
        {
            "pipelineName": "adherence",
            "pipelineDisplayName": "adherence",
            "pipelineDescription": "d",
            "pipelineDefinition": '{"Version": "2020-12-01", "Steps": []}',
            "roleArn": ROLE,
            "parallelismConfiguration": {"maxParallelExecutionSteps": 2},
            "tags": TAGS,
        },
        {"pipelineDefinition": '{"Version": "2020-12-01", "Steps": [], "Parameters": []}',
         "tags": {"owner": "x"}},
    ),
    (
        "aws:sagemaker/model:Model",
        {
            "executionRoleArn": ROLE,
            "primaryContainer": {
                "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/x:1",
                "modelDataUrl": "s3://shared-bucket/model.tar.gz",
                "environment": {"SAGEMAKER_PROGRAM": "serve.py"},
            },
            "vpcConfig": {"subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]},
            "tags": TAGS,
        },
        {"tags": {"owner": "x"}},
    ),
    (
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        {
            "namePrefix": "api-",
            "kmsKeyArn": KEY,
            "productionVariants": [
                {
                    "variantName": "champion",
                    "modelName": "shared-model",
                    "instanceType": "ml.m5.xlarge",
                    "initialInstanceCount": 2,
                    "initialVariantWeight": 1,
                }
            ],
            "shadowProductionVariants": [
                {
                    "variantName": "challenger",
                    "modelName": "shared-model",
                    "instanceType": "ml.m5.xlarge",
                    "initialInstanceCount": 1,
                    "initialVariantWeight": 0.5,
                }
            ],
            "dataCaptureConfig": {
                "enableCapture": True,
                "initialSamplingPercentage": 100,
                "destinationS3Uri": "s3://shared-bucket/captures",
                "kmsKeyId": KEY,
                "captureOptions": [{"captureMode": "Input"}, {"captureMode": "Output"}],
                "captureContentTypeHeader": {"jsonContentTypes": ["application/json"]},
            },
            "tags": TAGS,
        },
        {"tags": {"owner": "x"}},
    ),
    (
        "aws:sagemaker/endpoint:Endpoint",
        {
            "name": "api",
            "endpointConfigName": "shared-config",
            "deploymentConfig": {
                "blueGreenUpdatePolicy": {
                    "trafficRoutingConfiguration": {
                        "type": "ALL_AT_ONCE",
                        "waitIntervalInSeconds": 600,
                    },
                    "terminationWaitInSeconds": 300,
                    "maximumExecutionTimeoutInSeconds": 3600,
                },
                "autoRollbackConfiguration": {"alarms": [{"alarmName": "x"}]},
            },
            "tags": TAGS,
        },
        {"endpointConfigName": "shared-config-2", "tags": {"owner": "x"}},
    ),
    (
        "aws:appautoscaling/target:Target",
        {
            "serviceNamespace": "sagemaker",
            "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "resourceId": "endpoint/shared-endpoint/variant/champion",
            "minCapacity": 1,
            "maxCapacity": 4,
            "tags": TAGS,
        },
        {"maxCapacity": 6},
    ),
    ("aws:appautoscaling/policy:Policy", SCALING, {
        "targetTrackingScalingPolicyConfiguration": {
            **SCALING["targetTrackingScalingPolicyConfiguration"], "targetValue": 100.5}}),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", ALARM, {"threshold": 250000.5, "tags": {"owner": "x"}}),
    (
        "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        {"alarmName": "all", "alarmRule": "ALARM(x) OR ALARM(y)", "alarmActions": [TOPIC]},
        {"alarmRule": "ALARM(x)"},
    ),
    (
        "aws:cloudwatch/dashboard:Dashboard",
        {"dashboardName": "adherence", "dashboardBody": '{"widgets": []}'},
        {"dashboardBody": '{"widgets": [{"type": "text", "properties": {"markdown": "x"}}]}'},
    ),
    (
        "aws:cloudwatch/eventRule:EventRule",
        {"eventPattern": '{"source": ["aws.sagemaker"]}', "description": "d", "tags": TAGS,
         "state": "ENABLED"},
        {"eventPattern": '{"source": ["aws.s3"]}', "state": "DISABLED", "tags": {"owner": "x"}},
    ),
    (
        "aws:cloudwatch/eventTarget:EventTarget",
        {
            "rule": "shared-rule",
            "arn": PIPELINE,
            "roleArn": ROLE,
            "deadLetterConfig": {"arn": QUEUE},
            "retryPolicy": {"maximumEventAgeInSeconds": 3600, "maximumRetryAttempts": 2},
            "sagemakerPipelineTarget": {"pipelineParameterLists": [{"name": "P", "value": "v"}]},
        },
        {"retryPolicy": {"maximumEventAgeInSeconds": 600, "maximumRetryAttempts": 0}},
    ),
    (
        "aws:cloudwatch/logGroup:LogGroup",
        {"retentionInDays": 30, "kmsKeyId": KEY, "tags": TAGS},
        {"retentionInDays": 90, "tags": {"owner": "x"}},
    ),
    (
        "aws:sns/topic:Topic",
        {"displayName": "on call", "kmsMasterKeyId": KEY, "tags": TAGS},
        {"displayName": "other", "tags": {"owner": "x"}},
    ),
    (
        "aws:sns/topicPolicy:TopicPolicy",
        {"arn": TOPIC, "policy": resource_policy("sns:Publish", TOPIC)},
        {"policy": resource_policy("sns:Publish", TOPIC, "events.amazonaws.com")},
    ),
    (
        "aws:sns/topicSubscription:TopicSubscription",
        {"topic": TOPIC, "protocol": "email", "endpoint": "oncall@acme.example"},
        {"filterPolicy": '{"severity": ["high"]}'},
    ),
    (
        "aws:sqs/queue:Queue",
        {"messageRetentionSeconds": 1209600, "kmsMasterKeyId": KEY, "tags": TAGS,
         "visibilityTimeoutSeconds": 60},
        {"messageRetentionSeconds": 86400, "tags": {"owner": "x"}},
    ),
    (
        "aws:sqs/queuePolicy:QueuePolicy",
        {"queueUrl": "$queue", "policy": resource_policy("sqs:SendMessage", QUEUE)},
        {"policy": resource_policy("sqs:SendMessage", QUEUE, "events.amazonaws.com")},
    ),
    ("aws:scheduler/scheduleGroup:ScheduleGroup", {"tags": TAGS}, {"tags": {"owner": "x"}}),
    (
        "aws:glue/catalogDatabase:CatalogDatabase",
        {"name": "case_database", "description": "One", "tags": TAGS},
        {"description": "Two", "tags": {"owner": "x"}},
    ),
    (
        "aws:glue/catalogTable:CatalogTable",
        {
            "name": "case_table",
            "databaseName": "shared_database",
            "tableType": "EXTERNAL_TABLE",
            "parameters": {"classification": "csv"},
            "partitionKeys": [{"name": "run", "type": "string"}],
            "storageDescriptor": {
                "location": "s3://shared-bucket/predictions/",
                "columns": [{"name": "prediction", "type": "string"}],
                "serDeInfo": {"serializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
            },
        },
        {"parameters": {"classification": "json"}},
    ),
    (
        "aws:scheduler/schedule:Schedule",
        SCHEDULE,
        {"scheduleExpression": "cron(0 4 ? * MON *)", "state": "DISABLED"},
    ),
    (
        "aws:lambda/function:Function",
        {
            "role": ROLE,
            "runtime": "python3.12",
            "handler": "index.handler",
            "s3Bucket": "shared-bucket",
            "s3Key": "code.zip",
            "sourceCodeHash": "1",
            "timeout": 60,
            "memorySize": 128,
            "description": "cooldown",
            "environment": {"variables": {"COOLDOWN_HOURS": "24"}},
            "deadLetterConfig": {"targetArn": QUEUE},
            "loggingConfig": {"logFormat": "Text", "logGroup": "x"},
            "tags": TAGS,
        },
        {"timeout": 30, "environment": {"variables": {"COOLDOWN_HOURS": "12"}},
         "tags": {"owner": "x"}},
    ),
    (
        "aws:lambda/permission:Permission",
        {
            "action": "lambda:InvokeFunction",
            "function": "shared-function",
            "principal": "events.amazonaws.com",
            "sourceArn": "arn:aws:events:eu-west-1:123456789012:rule/x",
        },
        {},
    ),
    ("aws:budgets/budget:Budget", BUDGET, {"limitAmount": "500"}),
    (
        "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer",
        {"trackingServerName": "runs", "artifactStoreUri": "s3://shared-bucket/mlflow",
         "roleArn": ROLE, "trackingServerSize": "Small",
         "weeklyMaintenanceWindowStart": "Sun:03:30", "tags": TAGS},
        {"trackingServerSize": "Medium", "tags": {"owner": "x"}},
    ),
    (
        "aws:ec2/vpc:Vpc",
        {"cidrBlock": "10.1.0.0/16", "enableDnsHostnames": True, "enableDnsSupport": True,
         "tags": TAGS},
        {"enableDnsHostnames": False, "tags": {"owner": "x"}},
    ),
    (
        "aws:ec2/subnet:Subnet",
        {"vpcId": "$vpc", "cidrBlock": "10.0.16.0/20", "availabilityZone": "eu-west-1b",
         "mapPublicIpOnLaunch": False, "tags": TAGS},
        {"mapPublicIpOnLaunch": True, "tags": {"owner": "x"}},
    ),
    ("aws:ec2/routeTable:RouteTable", {"vpcId": "$vpc", "tags": TAGS}, {"tags": {"owner": "x"}}),
    (
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        {"routeTableId": "$table", "subnetId": "$subnet"},
        {"routeTableId": "$table2"},
    ),
    (
        "aws:ec2/securityGroup:SecurityGroup",
        {"vpcId": "$vpc", "description": "jobs", "tags": TAGS},
        {"tags": {"owner": "x"}},
    ),
    (
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        {"vpcId": "$vpc", "tags": TAGS},
        {"tags": {"owner": "x"}},
    ),
    (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {"securityGroupId": "$group", "ipProtocol": "-1", "referencedSecurityGroupId": "$group",
         "description": "members", "tags": TAGS},
        {"tags": {"owner": "x"}},
    ),
    (
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        {"securityGroupId": "$group", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
         "cidrIpv4": "10.0.0.0/16", "description": "TLS", "tags": TAGS},
        {"cidrIpv4": "10.0.0.0/20", "toPort": 444},
    ),
    (
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        {"vpcId": "$vpc", "serviceName": "com.amazonaws.eu-west-1.sts",
         "vpcEndpointType": "Interface", "privateDnsEnabled": True, "subnetIds": ["$subnet"],
         "securityGroupIds": ["$group"], "tags": TAGS,
         "policy": policy("sts:GetCallerIdentity")},
        {"policy": policy("sts:AssumeRole"), "securityGroupIds": ["$group2"]},
    ),
    (
        "aws:ec2/flowLog:FlowLog",
        {"vpcId": "$vpc", "trafficType": "ALL", "logDestinationType": "cloud-watch-logs",
         "logDestination": "arn:aws:logs:eu-west-1:123456789012:log-group:flows",
         "iamRoleArn": ROLE, "maxAggregationInterval": 60, "tags": TAGS},
        {"tags": {"owner": "x"}},
    ),
    (
        "aws:cloudtrail/trail:Trail",
        {"name": "case-trail", "s3BucketName": "shared-logs", "enableLogFileValidation": True,
         "isMultiRegionTrail": True, "includeGlobalServiceEvents": True, "tags": TAGS,
         "kmsKeyId": KEY,
         "advancedEventSelectors": [
             {"name": "Management",
              "fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]},
             {"name": "Objects", "fieldSelectors": [
                 {"field": "eventCategory", "equals": ["Data"]},
                 {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                 {"field": "resources.ARN", "startsWiths": ["arn:aws:s3:::shared-bucket/"]},
             ]},
         ]},
        {"enableLogFileValidation": False, "enableLogging": False, "tags": {"owner": "x"},
         "advancedEventSelectors": [
             {"name": "Management",
              "fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]},
         ]},
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def shared(aws_provider):
    """What the cases refer to; answers the placeholders of server-made values."""
    made = [
        (type_, aws_provider.create("urn::x", type_, inputs, f"shared-{number}"))
        for number, (type_, inputs) in enumerate(SHARED)
    ]
    queue = next(state.id for type_, state in made if type_.endswith(":Queue"))
    keys = [aws_provider.create("u", "aws:kms/key:Key", {}, f"k{n}") for n in (1, 2)]
    return {"$queue": queue, "$key": keys[0].id, "$key2": keys[1].id, **network(aws_provider)}


def network(provider):
    """A network with a subnet, two route tables and two security groups; their ids."""

    def make(type_, token, **inputs):
        return provider.create("urn::x", type_, inputs, f"network-{token}").id

    vpc = make("aws:ec2/vpc:Vpc", "vpc", cidrBlock="10.0.0.0/16")
    found = {
        "$vpc": vpc,
        "$subnet": make("aws:ec2/subnet:Subnet", "subnet", vpcId=vpc, cidrBlock="10.0.0.0/20"),
    }
    for number in ("", "2"):
        found[f"$table{number}"] = make(
            "aws:ec2/routeTable:RouteTable", f"table{number}", vpcId=vpc
        )
        found[f"$group{number}"] = make(
            "aws:ec2/securityGroup:SecurityGroup",
            f"group{number}",
            vpcId=vpc,
            name=f"shared{number}",
            description="shared",
        )
    return found


def filled(inputs, shared):
    def one(value):
        if isinstance(value, list):
            return [one(each) for each in value]
        return shared.get(value, value) if isinstance(value, str) else value

    return {key: one(value) for key, value in inputs.items()}


def test_every_supported_type_has_a_case():
    assert {case[0] for case in CASES} == set(supported_types())


@pytest.mark.parametrize(("type_", "inputs", "change"), CASES, ids=[case[0] for case in CASES])
def test_lifecycle(type_, inputs, change, aws_provider, shared, request):
    provider = aws_provider
    urn = f"urn:pulumi:local::t::{type_}::case"
    news = filled(inputs, shared)
    checked = provider.check(urn, type_, None, news, f"{type_}-seed".encode())
    assert list(checked.failures) == []
    inputs = dict(checked.inputs)

    preview = provider.preview_outputs(type_, inputs, None, None)
    state = provider.create(urn, type_, inputs, "token")
    recorded = handler_for(type_).recorded
    assert state.recorded is recorded
    assert state.inputs == inputs
    for name, value in preview.items():
        if not contains_unknown(value):
            assert name in state.outputs, f"previewed {name} is missing"
    missing = {name for name in preview if name not in state.outputs}
    assert not missing, f"promised and not delivered: {missing}"

    # Nothing drifts: what is read equals what was written.
    again = provider.read(type_, state.id, state)
    assert again is not None
    diff = provider.diff(type_, state.id, again.inputs, again.outputs, inputs)
    assert dict(diff.detailed) == {}
    assert set(again.outputs) == set(state.outputs)

    # A second check with the old inputs keeps the name.
    rechecked = provider.check(urn, type_, state.inputs, news, b"another seed")
    assert rechecked.inputs == inputs

    if not recorded:
        found = provider.find(type_, inputs, "token")
        assert found is not None
        assert found.id == state.id

    if change:
        changed = {**inputs, **filled(change, shared)}
        if type_.endswith("BucketNotification"):
            changed.pop("eventbridge")
        diff = provider.diff(type_, state.id, state.inputs, state.outputs, changed)
        assert diff.changes
        assert diff.replace_keys == []
        assert all(each.replaces is not None for each in diff.detailed.values())
        state = provider.update(urn, type_, state, changed)
        again = provider.read(type_, state.id, state)
        diff = provider.diff(type_, state.id, again.inputs, again.outputs, changed)
        assert dict(diff.detailed) == {}
        # What was read must really differ from before.
        diff = provider.diff(type_, state.id, again.inputs, again.outputs, inputs)
        assert diff.changes

    provider.delete(type_, state)
    if not recorded and type_ not in NO_DELETE:
        assert provider.read(type_, state.id, state) is None
        provider.delete(type_, state)  # absent already is success


# moto does not tell about EventBridge; topics always have a policy; versioning cannot be removed; a
# network's default security group goes with it.
NO_DELETE = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketNotification:BucketNotification",
}
