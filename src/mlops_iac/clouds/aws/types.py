"""AWS types that code asks for by name, and what is true of types: one row for each."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_iac.clouds.knowledge import TypeFacts

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
MLFLOW_SERVER = "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer"
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


def _precious(holds: str) -> TypeFacts:
    """Cannot be made again once it is deleted."""
    return TypeFacts(holds=holds, precious=True, tagged=True)


_TAGGED = TypeFacts(tagged=True)

TYPES: Mapping[str, TypeFacts] = {
    BUCKET: _precious("the bucket and every object in it"),
    "aws:s3/bucketV2:BucketV2": _precious("the bucket and every object in it"),
    KEY: _precious("the key, and with it everything it encrypts"),
    MODEL_GROUP: _precious("the model registry with its versions"),
    MLFLOW_SERVER: _precious("the MLflow server and the runs that it knows"),
    "aws:sagemaker/featureGroup:FeatureGroup": _precious("the feature group and its records"),
    "aws:dynamodb/table:Table": _precious("the table and its items"),
    "aws:ecr/repository:Repository": _precious("the repository and its images"),
    "aws:efs/fileSystem:FileSystem": _precious("the file system and its files"),
    "aws:kinesis/stream:Stream": _precious("the stream and the records in it"),
    "aws:rds/cluster:Cluster": _precious("the database cluster"),
    "aws:rds/instance:Instance": _precious("the database"),
    "aws:secretsmanager/secret:Secret": _precious("the secret and its versions"),
    BUCKET_OBJECT: TypeFacts(holds="the uploaded object", remade=True),
    LOG_GROUP: TypeFacts(holds="the log group and its logs", tagged=True),
    QUEUE: TypeFacts(holds="the queue and the messages in it", tagged=True),
    "aws:glue/catalogDatabase:CatalogDatabase": TypeFacts(
        holds="the catalogue database", tagged=True
    ),
    "aws:glue/catalogTable:CatalogTable": TypeFacts(holds="the catalogue table"),
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": TypeFacts(
        holds="records under way"
    ),
    ENDPOINT: TypeFacts(answers="the endpoint", endpoint=True, tagged=True),
    FUNCTION: TypeFacts(answers="the function", tagged=True),
    "aws:ecs/service:Service": TypeFacts(answers="the service"),
    "aws:lb/loadBalancer:LoadBalancer": TypeFacts(answers="the load balancer"),
    "aws:apigateway/restApi:RestApi": TypeFacts(answers="the API"),
    TOPIC: TypeFacts(answers="the topic, with its subscriptions,", tagged=True),
    "aws:ec2/vpc:Vpc": TypeFacts(answers="the network, with everything in it,", tagged=True),
    "aws:ec2/vpcEndpoint:VpcEndpoint": TypeFacts(
        answers="the network's way to a service", tagged=True
    ),
    BUCKET_PUBLIC_ACCESS: TypeFacts(guards="the block on public access", closes_network=True),
    BUCKET_ENCRYPTION: TypeFacts(guards="the bucket's encryption settings"),
    BUCKET_VERSIONING: TypeFacts(guards="the bucket's versioning"),
    BUCKET_LOGGING: TypeFacts(guards="the bucket's access log"),
    BUCKET_POLICY: TypeFacts(guards="the bucket's policy"),
    ALARM: TypeFacts(guards="the alarm", tagged=True),
    BUDGET: TypeFacts(guards="the budget", tagged=True),
    TRAIL: TypeFacts(guards="the audit trail", tagged=True),
    "aws:ec2/flowLog:FlowLog": TypeFacts(guards="the log of the network's traffic", tagged=True),
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": TypeFacts(
        guards="the registry's policy"
    ),
    ENDPOINT_CONFIGURATION: _TAGGED,
    MODEL: _TAGGED,
    PIPELINE: _TAGGED,
    ROLE: _TAGGED,
    SCALING_TARGET: _TAGGED,
    EVENT_RULE: _TAGGED,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _TAGGED,
}
