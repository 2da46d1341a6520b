"""Rows about data at rest and on the way: encryption, TLS, versions, logs."""

from __future__ import annotations

import json

from mlops_iac.clouds.aws import types
from mlops_iac.values import UNKNOWN, Secret
from tests.unit.policy.stacks import made

BUCKET = made(types.BUCKET, "data", id_="data-1a2b3c4")
LOGS = made(types.BUCKET, "logs")
KEY = made(types.KEY, "key")


def encrypted(bucket=BUCKET, algorithm="aws:kms", key="arn:aws:kms:eu-west-1:123456789012:key/k"):
    default = {"sseAlgorithm": algorithm, **({"kmsMasterKeyId": key} if key else {})}
    rules = [{"applyServerSideEncryptionByDefault": default}]
    return made(types.BUCKET_ENCRYPTION, f"{bucket.name}-enc", {"rules": rules}, bucket=bucket)


def logging(bucket=BUCKET, target=LOGS):
    return made(types.BUCKET_LOGGING, f"{bucket.name}-log", bucket=bucket, targetBucket=target)


def policy(*statements, type_=types.BUCKET_POLICY, **links):
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return made(type_, "policy", {"policy": document}, **links)


DENY = {
    "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}  # fmt: skip
QUEUE = made(types.QUEUE, "queue", {"sqsManagedSseEnabled": True})
VOLUME = {"variantName": "main", "instanceType": "ml.m5.xlarge", "initialInstanceCount": 2}


def configuration(*variants, **inputs):
    given = {"productionVariants": list(variants), **inputs}
    return made(types.ENDPOINT_CONFIGURATION, "configuration", given)


def versioned(status):
    inputs = {"versioningConfiguration": {"status": status}}
    return made(types.BUCKET_VERSIONING, "versioning", inputs, bucket=BUCKET)


def encrypted_by(key, bucket=BUCKET):
    return made(types.BUCKET_ENCRYPTION, "encryption", bucket=bucket, rules=key)


ROWS = {
    "bucket-encryption": {
        "a bucket that says nothing of encryption breaks it": (["does not say"], [BUCKET], {}),
        "a bucket with a default key keeps it": ([], [BUCKET, encrypted()], {}),
        "a bucket with the service's own keys keeps it": ([], [BUCKET, encrypted(algorithm="AES256", key="")], {}),
        "a setting of another bucket does not help": (["does not say"], [BUCKET, LOGS, encrypted(LOGS)], {}),
        "a setting that names the bucket by its real name counts": (
            [], [BUCKET, made(types.BUCKET_ENCRYPTION, "e", {"bucket": "data-1a2b3c4", "rules": encrypted().inputs["rules"]})], {},
        ),
        "a setting that names the bucket by a reference counts": (
            [], [BUCKET, made(types.BUCKET_ENCRYPTION, "e", {"bucket": "${s3.Bucket/data.bucket}", "rules": encrypted().inputs["rules"]})], {},
        ),
        "what is not known yet is not judged": ([], [BUCKET, made(types.BUCKET_ENCRYPTION, "e", {"rules": UNKNOWN}, bucket=BUCKET)], {}),
        "where own keys are asked, the service's are not enough": (
            ["key of your own"], [BUCKET, encrypted(algorithm="AES256", key="")], {"customer_key": True},
        ),
        "where own keys are asked, a bucket of access logs is spared": (
            [], [BUCKET, LOGS, encrypted(), encrypted(LOGS, "AES256", ""), logging()], {"customer_key": True},
        ),
    },
    "endpoint-encryption": {
        "an endpoint's volume without a key breaks it": (["not encrypted"], [configuration(VOLUME)], {}),
        "a key keeps it": ([], [configuration(VOLUME, kmsKeyArn="arn:aws:kms:eu-west-1:1:key/k")], {}),
        "a key that is not known yet keeps it": ([], [configuration(VOLUME, kmsKeyArn=UNKNOWN)], {}),
        "a machine with a local disk takes no key": ([], [configuration({**VOLUME, "instanceType": "ml.g5.xlarge"})], {}),
        "one machine without a local disk beside it does": (["not encrypted"], [configuration({**VOLUME, "instanceType": "ml.g5.xlarge"}, VOLUME)], {}),
        "a serverless variant has no volume": ([], [configuration({"variantName": "main", "serverlessConfig": {"memorySizeInMb": 2048}})], {}),
        "a stack that is not production is left alone": ([], [configuration(VOLUME)], {"production": False}),
    },
    "topic-encryption": {
        "a topic without a key breaks it": (["not encrypted"], [made(types.TOPIC, "alerts")], {}),
        "an empty key is none": (["not encrypted"], [made(types.TOPIC, "alerts", {"kmsMasterKeyId": ""})], {}),
        "a key keeps it": ([], [made(types.TOPIC, "alerts", kmsMasterKeyId=KEY), KEY], {}),
    },
    "queue-encryption": {
        "a queue that says nothing breaks it": (["not encrypted"], [made(types.QUEUE, "queue")], {}),
        "a queue that turned it off breaks it": (["not encrypted"], [made(types.QUEUE, "queue", {"sqsManagedSseEnabled": False})], {}),
        "the service's own keys keep it": ([], [QUEUE], {}),
        "a key of one's own keeps it": ([], [made(types.QUEUE, "queue", {"kmsMasterKeyId": "alias/x"})], {}),
    },
    "log-encryption": {
        "a log group without a key breaks it": (["key of your own"], [made(types.LOG_GROUP, "log")], {}),
        "a key keeps it": ([], [made(types.LOG_GROUP, "log", {"kmsKeyId": "arn:aws:kms:eu-west-1:1:key/k"})], {}),
    },
    "shared-key": {
        "a log under the key of a bucket breaks it": (["encrypts encryption, and log as well"], [KEY, encrypted_by(KEY), made(types.LOG_GROUP, "log", kmsKeyId=KEY)], {}),
        "a topic under the key of an endpoint breaks it": (["encrypts configuration, and topic"], [KEY, made(types.ENDPOINT_CONFIGURATION, "configuration", kmsKeyArn=KEY), made(types.TOPIC, "topic", kmsMasterKeyId=KEY)], {}),
        "two keys keep it": ([], [KEY, o := made(types.KEY, "other"), encrypted_by(KEY), made(types.LOG_GROUP, "log", kmsKeyId=o)], {}),
        "the bucket of the trail is no data": ([], [KEY, b := made(types.BUCKET, "audit"), encrypted_by(KEY, b), made(types.TRAIL, "trail", s3BucketName=b, kmsKeyId=KEY)], {}),
    },
    "key-rotation": {
        "a key that does not rotate breaks it": (["does not rotate"], [KEY], {}),
        "a key that rotates keeps it": ([], [made(types.KEY, "key", {"enableKeyRotation": True})], {}),
        "an asymmetric key cannot rotate": ([], [made(types.KEY, "key", {"customerMasterKeySpec": "RSA_2048"})], {}),
        "a key of a custom store cannot rotate": ([], [made(types.KEY, "key", {"customKeyStoreId": "cks-1"})], {}),
    },
    "tls-only": {
        "a bucket without a policy breaks it": (["the bucket takes unencrypted"], [BUCKET], {}),
        "a policy that denies plain text keeps it": ([], [BUCKET, policy(DENY, bucket=BUCKET)], {}),
        "a policy that allows what it should deny breaks it": (["unencrypted"], [BUCKET, policy({**DENY, "Effect": "Allow"}, bucket=BUCKET)], {}),
        "a policy that denies what is encrypted breaks it": (
            ["unencrypted"], [BUCKET, policy({**DENY, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, bucket=BUCKET)], {},
        ),
        "a policy on another bucket does not help": (["unencrypted"], [BUCKET, LOGS, policy(DENY, bucket=LOGS)], {}),
        "a policy that is not known yet is not judged": ([], [BUCKET, made(types.BUCKET_POLICY, "p", {"policy": UNKNOWN}, bucket=BUCKET)], {}),
        "a queue without a policy breaks it": (["the queue takes unencrypted"], [QUEUE], {}),
        "a queue's policy keeps it": ([], [QUEUE, policy(DENY, type_=types.QUEUE_POLICY, queueUrl=QUEUE)], {}),
    },
    "bucket-versioning": {
        "a bucket without versions breaks it": (["no versions"], [BUCKET], {}),
        "suspended versions break it": (["no versions"], [BUCKET, versioned("Suspended")], {}),
        "versions keep it": ([], [BUCKET, versioned("Enabled")], {}),
        "a stack that is not production is left alone": ([], [BUCKET], {"production": False}),
    },
    "bucket-logging": {
        "a bucket without access logs breaks it": (["who reads"], [BUCKET], {}),
        "a bucket with them keeps it, and so does the one that takes them": ([], [BUCKET, LOGS, logging()], {}),
    },
    "log-retention": {
        "a log group without retention breaks it": (["for ever"], [made(types.LOG_GROUP, "log")], {}),
        "a retention of 0 is for ever": (["for ever"], [made(types.LOG_GROUP, "log", {"retentionInDays": 0})], {}),
        "a week is too short": (["keeps 7 days, less than 30"], [made(types.LOG_GROUP, "log", {"retentionInDays": 7})], {}),
        "a week is enough where the team says so": ([], [made(types.LOG_GROUP, "log", {"retentionInDays": 7})], {"least_days": 7}),
        "a secret number is not judged": ([], [made(types.LOG_GROUP, "log", {"retentionInDays": Secret(1)})], {}),
        "an endpoint without a group of ours breaks it": (["kept for ever"], [made(types.ENDPOINT, "e", {"name": "api"})], {}),
        "an endpoint with its group keeps it": ([], [made(types.ENDPOINT, "e", {"name": "api"}), made(types.LOG_GROUP, "log", {"name": "/aws/sagemaker/Endpoints/api", "retentionInDays": 90})], {}),
        "ninety days keep it": ([], [made(types.LOG_GROUP, "log", {"retentionInDays": 90})], {}),
    },
}  # fmt: skip
