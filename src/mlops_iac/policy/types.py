"""Type tokens that several rules ask for, and what is true of types."""

from __future__ import annotations

from collections.abc import Mapping

BUCKET = "aws:s3/bucket:Bucket"
BUCKET_ENCRYPTION = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
BUCKET_OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
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
PERMISSION = "aws:lambda/permission:Permission"
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

# What cannot be made again once it is deleted; what is lost with it.
PRECIOUS: Mapping[str, str] = {
    BUCKET: "the bucket and every object in it",
    "aws:s3/bucketV2:BucketV2": "the bucket and every object in it",
    KEY: "the key, and with it everything it encrypts",
    MODEL_GROUP: "the model registry with its versions",
    "aws:sagemaker/featureGroup:FeatureGroup": "the feature group and its records",
    "aws:dynamodb/table:Table": "the table and its items",
    "aws:ecr/repository:Repository": "the repository and its images",
    "aws:efs/fileSystem:FileSystem": "the file system and its files",
    "aws:kinesis/stream:Stream": "the stream and the records in it",
    "aws:rds/cluster:Cluster": "the database cluster",
    "aws:rds/instance:Instance": "the database",
    "aws:secretsmanager/secret:Secret": "the secret and its versions",
}
# Those, and what holds data for a while or has it from elsewhere.
STATEFUL: Mapping[str, str] = {
    **PRECIOUS,
    BUCKET_OBJECT: "the uploaded object",
    LOG_GROUP: "the log group and its logs",
    QUEUE: "the queue and the messages in it",
    "aws:glue/catalogDatabase:CatalogDatabase": "the catalogue database",
    "aws:glue/catalogTable:CatalogTable": "the catalogue table",
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": "records under way",
}

# Types that take tags and that cost money or hold data. A test compares them with the provider's.
TAGGED = (
    *PRECIOUS,
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
