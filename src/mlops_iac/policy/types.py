"""Type tokens that several rules ask for, and what is true of types."""

from __future__ import annotations

BUCKET = "aws:s3/bucket:Bucket"
BUCKET_ENCRYPTION = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
BUCKET_LOGGING = "aws:s3/bucketLogging:BucketLogging"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BUCKET_PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BUCKET_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
BUDGET = "aws:budgets/budget:Budget"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
ENDPOINT_CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
FUNCTION = "aws:lambda/function:Function"
KEY = "aws:kms/key:Key"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
MODEL = "aws:sagemaker/model:Model"
MODEL_GROUP = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
PIPELINE = "aws:sagemaker/pipeline:Pipeline"
QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
ROLE = "aws:iam/role:Role"
EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
SCALING_TARGET = "aws:appautoscaling/target:Target"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
TRAIL = "aws:cloudtrail/trail:Trail"

# What cannot be made again once it is deleted.
STATEFUL = (
    BUCKET,
    KEY,
    MODEL_GROUP,
    "aws:sagemaker/featureGroup:FeatureGroup",
    "aws:dynamodb/table:Table",
    "aws:ecr/repository:Repository",
    "aws:efs/fileSystem:FileSystem",
    "aws:kinesis/stream:Stream",
    "aws:rds/cluster:Cluster",
    "aws:rds/instance:Instance",
)

# Types that take tags and that cost money or hold data. A test compares them with the provider's.
TAGGED = (
    *STATEFUL,
    ALARM,
    BUDGET,
    ENDPOINT,
    ENDPOINT_CONFIGURATION,
    FUNCTION,
    LOG_GROUP,
    MODEL,
    PIPELINE,
    QUEUE,
    ROLE,
    SCALING_TARGET,
    TOPIC,
    TRAIL,
    EVENT_RULE,
    "aws:ec2/flowLog:FlowLog",
    "aws:ec2/vpc:Vpc",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "aws:scheduler/scheduleGroup:ScheduleGroup",
)
