"""Rows about who may what: public access, networks, IAM, secrets."""

from __future__ import annotations

import json

from mlops_iac.clouds.aws import types
from mlops_iac.values import UNKNOWN, Secret
from tests.unit.policy.stacks import made

BUCKET = made(types.BUCKET, "data")
BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
GROUP = "aws:ec2/securityGroup:SecurityGroup"
ACCOUNT = "arn:aws:s3:::x"
EC2 = "arn:aws:ec2:eu-west-1:123456789012"
TUNINGS = "arn:aws:sagemaker:eu-west-1:123456789012:hyper-parameter-tuning-job"
OWN_TAG = {"StringEquals": {"aws:RequestTag/stack": "churn-prod"}}


def blocked(**without):
    return made(
        types.BUCKET_PUBLIC_ACCESS,
        "access",
        {**dict.fromkeys(BLOCKS, True), **without},
        bucket=BUCKET,
    )


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allowed(actions, resources, condition=None, *, type_="aws:iam/rolePolicy:RolePolicy", **more):
    statement = {"Sid": "Read", "Effect": "Allow", "Action": actions, **more}
    if resources is not None:
        statement["Resource"] = resources
    if condition:
        statement["Condition"] = condition
    return made(type_, "policy", {"policy": document(statement)})


def trusting(principal, condition=None):
    statement = {
        "Sid": "Assume",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "sts:AssumeRole",
    }
    if condition:
        statement["Condition"] = condition
    return made(types.ROLE, "role", {"assumeRolePolicy": document(statement)})


def training(
    actions, resources, *, of="execution", model="Steps.Seal.OutputParameters['uri']", **more
):
    """A pipeline whose jobs run as `execution`, and a statement of the role `of`."""
    roles = {name: made(types.ROLE, name, {"name": name}) for name in ("execution", "sealing")}
    target, left = (
        {
            "Std:Join": {
                "On": "/",
                "Values": [f"s3://artifacts/{prefix}/churn", {"Get": "Execution.Id"}],
            }
        }
        for prefix in ("models", "pipelines")
    )
    steps = [
        {
            "Name": "Train",
            "Type": "Training",
            "Arguments": {
                "RoleArn": "${iam.Role/execution.arn}",
                "OutputDataConfig": {"S3OutputPath": left},
            },
        },
        {"Name": "Seal", "Type": "Lambda", "Arguments": {"source": "x", "target": target}},
        {
            "Name": "Gate",
            "Type": "Condition",
            "Arguments": {
                "IfSteps": [
                    {
                        "Name": "Register",
                        "Type": "RegisterModel",
                        "Arguments": {"ModelDataUrl": {"Get": model}},
                    }
                ]
            },
        },
    ]
    pipeline = made(types.PIPELINE, "churn", {"pipelineDefinition": json.dumps({"Steps": steps})})
    said = {key: value for key, value in (("Action", actions), ("Resource", resources)) if value}
    statement = {"Sid": "Read", "Effect": "Allow", **said, **more}
    policy = made(
        "aws:iam/rolePolicy:RolePolicy", "policy", {"policy": document(statement)}, role=roles[of]
    )
    return [*roles.values(), pipeline, policy]


def of_topic(principal, condition=None):
    return allowed(
        "sns:Publish",
        "arn:aws:sns:eu-west-1:123456789012:t",
        condition,
        type_="aws:sns/topicPolicy:TopicPolicy",
        Principal=principal,
    )


def key_for(principal, condition=None):
    return allowed(
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        "*",
        condition,
        type_=types.KEY,
        Principal=principal,
    )


def function(**variables):
    return made(types.FUNCTION, "f", {"environment": {"variables": variables}})


SOURCE = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
PASS = "arn:aws:iam::123456789012:role/run"

ROWS = {
    "public-bucket": {
        "a bucket without a block breaks it": (["does not block"], [BUCKET], {}),
        "a whole block keeps it": ([], [BUCKET, blocked()], {}),
        "a block with a hole breaks it": (["lacks blockPublicPolicy"], [BUCKET, blocked(blockPublicPolicy=False)], {}),
        "a public ACL breaks it": (["public-read"], [BUCKET, blocked(), made("aws:s3/bucketAcl:BucketAcl", "acl", {"acl": "public-read"})], {}),
        "a private ACL keeps it": ([], [BUCKET, blocked(), made("aws:s3/bucketAcl:BucketAcl", "acl", {"acl": "private"})], {}),
    },
    "public-policy": {
        "a topic open to everybody breaks it": (["lets everybody in"], [of_topic("*")], {}),
        "everybody as an AWS principal is everybody": (["lets everybody in"], [of_topic({"AWS": "*"})], {}),
        "everybody but one is everybody": (
            ["lets everybody in"], [made("aws:sns/topicPolicy:TopicPolicy", "p", {"policy": document({"Effect": "Allow", "NotPrincipal": {"AWS": "x"}, "Action": "sns:Publish"})})], {},
        ),
        "an organisation's condition keeps it": ([], [of_topic("*", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], {}),
        "a condition that takes everything breaks it": (["lets everybody in"], [of_topic("*", {"StringLike": {"aws:PrincipalOrgID": "*"}})], {}),
        "a condition that only excludes breaks it": (["lets everybody in"], [of_topic("*", {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})], {}),
        "a denial of everybody keeps it": ([], [made("aws:sns/topicPolicy:TopicPolicy", "p", {"policy": document({"Effect": "Deny", "Principal": "*", "Action": "sns:*"})})], {}),
        "a role that everybody may assume breaks it": (["lets everybody in"], [trusting({"AWS": "*"})], {}),
        "a function that everybody may call breaks it": (["may call"], [made("aws:lambda/permission:Permission", "p", {"principal": "*"})], {}),
        "a function that one bucket may call keeps it": ([], [made("aws:lambda/permission:Permission", "p", {"principal": "*", "sourceArn": "arn:aws:s3:::x"})], {}),
        "a function's address without identity breaks it": (["asks nobody"], [made("aws:lambda/functionUrl:FunctionUrl", "u", {"authorizationType": "NONE"})], {}),
        "a policy that is not known yet is not judged": ([], [made("aws:sns/topicPolicy:TopicPolicy", "p", {"policy": UNKNOWN})], {}),
    },
    "public-network": {
        "a security group open to the internet breaks it": (["lets the internet in"], [made(GROUP, "g", {"ingress": [{"cidrBlocks": ["0.0.0.0/0"]}]})], {}),
        "one open to IPv6 breaks it": (["lets the internet in"], [made(GROUP, "g", {"ingress": [{"ipv6CidrBlocks": ["::/0"]}]})], {}),
        "one open to the office keeps it": ([], [made(GROUP, "g", {"ingress": [{"cidrBlocks": ["10.0.0.0/8"]}], "egress": [{"cidrBlocks": ["0.0.0.0/0"]}]})], {}),
        "an ingress rule for everybody breaks it": (["lets the internet in"], [made("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "r", {"cidrIpv4": "0.0.0.0/0"})], {}),
        "an old style egress rule keeps it": ([], [made("aws:ec2/securityGroupRule:SecurityGroupRule", "r", {"type": "egress", "cidrBlocks": ["0.0.0.0/0"]})], {}),
        "an old style ingress rule breaks it": (["lets the internet in"], [made("aws:ec2/securityGroupRule:SecurityGroupRule", "r", {"type": "ingress", "cidrBlocks": ["0.0.0.0/0"]})], {}),
        "a notebook on the internet breaks it": (["notebook"], [made("aws:sagemaker/notebookInstance:NotebookInstance", "n", {"directInternetAccess": "Enabled"})], {}),
        "a database on the internet breaks it": (["database"], [made("aws:rds/instance:Instance", "d", {"publiclyAccessible": True})], {}),
        "a database inside keeps it": ([], [made("aws:rds/instance:Instance", "d", {"publiclyAccessible": False})], {}),
    },
    "plain-secrets": {
        "a token in a function's environment breaks it": (["HF_TOKEN"], [function(HF_TOKEN="hf_abc", MODE="x")], {}),
        "the address of a secret keeps it": ([], [function(DB_PASSWORD="arn:aws:secretsmanager:eu-west-1:1:secret:x")], {}),
        "a reference keeps it": ([], [function(DB_PASSWORD="${secretsmanager.Secret/db.arn}")], {}),
        "a secret of the program's is readable there all the same": (["HF_TOKEN"], [function(HF_TOKEN=Secret("hf_abc"))], {}),
        "so is an environment that is secret as a whole": (
            ["HF_TOKEN"], [made(types.FUNCTION, "f", {"environment": Secret({"variables": {"HF_TOKEN": "hf_abc"}})})], {},
        ),
        "names that only sound so keep it": ([], [function(MAX_TOKENS="100", PIPELINE_NAME="x")], {}),
        "a password in a container's environment breaks it": (
            ["DB_PASSWORD"], [made(types.MODEL, "m", {"primaryContainer": {"environment": {"DB_PASSWORD": "hunter2"}}})], {},
        ),
        "a password inside a pipeline's definition breaks it": (
            ["API_KEY"], [made(types.PIPELINE, "p", {"pipelineDefinition": json.dumps({"Steps": [{"Arguments": {"Environment": {"API_KEY": "abc"}}}]})})], {},
        ),
    },
    "wildcard-action": {
        "every action breaks it": (["allows *"], [allowed("*", ACCOUNT)], {}),
        "every action of a service breaks it": (["allows s3:*"], [allowed(["s3:*", "kms:Decrypt"], ACCOUNT)], {}),
        "every action but some breaks it": (["allows every action but"], [made("aws:iam/policy:Policy", "p", {"policy": document({"Effect": "Allow", "NotAction": "iam:*", "Resource": ACCOUNT})})], {}),
        "a policy that is secret is read all the same": (
            ["allows s3:*"], [made("aws:iam/policy:Policy", "p", {"policy": Secret(document({"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": ACCOUNT}))})], {},
        ),
        "named actions keep it": ([], [allowed(["s3:GetObject", "kms:GenerateDataKey*"], ACCOUNT)], {}),
        "a denial of everything keeps it": ([], [allowed("*", "*", Effect="Deny")], {}),
        "an inline policy of a role is read too": (
            ["allows sagemaker:*"], [made(types.ROLE, "r", {"inlinePolicies": [{"name": "x", "policy": document({"Sid": "A", "Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"})}]})], {},
        ),
        "a key's owner may do everything with it": (
            [], [made(types.KEY, "k", {"policy": document({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"})})], {},
        ),
        "a key that a role may do everything with breaks it": (
            ["allows kms:*"], [made(types.KEY, "k", {"policy": document({"Effect": "Allow", "Principal": {"AWS": PASS}, "Action": "kms:*", "Resource": "*"})})], {},
        ),
    },
    "wildcard-resource": {
        "a read of everything breaks it": (["s3:getobject on *"], [allowed("s3:GetObject", "*")], {}),
        "any bucket breaks it": (["arn:aws:s3:::*"], [allowed("s3:GetObject", "arn:aws:s3:::*/models/*")], {}),
        "every key of the account breaks it": (["key/*"], [allowed("kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/*")], {}),
        "any account breaks it": (["on arn"], [allowed("sqs:SendMessage", "arn:aws:sqs:eu-west-1:*:queue")], {}),
        "everything but some breaks it": (["but a few"], [made("aws:iam/policy:Policy", "p", {"policy": document({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": ACCOUNT})})], {}),
        "objects of one bucket keep it": ([], [allowed("s3:GetObject", ["arn:aws:s3:::x/*", "${s3.Bucket/data.arn}/*"])], {}),
        "a family of names keeps it": ([], [allowed("sagemaker:CreateTrainingJob", "arn:aws:sagemaker:eu-west-1:123456789012:training-job/pipelines-*")], {}),
        "an action that knows no resources keeps it": ([], [allowed(["ecr:GetAuthorizationToken", "sts:GetCallerIdentity"], "*")], {}),
        "it does not take another action along": (["ecr:batchgetimage on"], [allowed(["ecr:GetAuthorizationToken", "ecr:BatchGetImage"], "*")], {}),
        "an action that the team lists keeps it": ([], [allowed("glue:GetConnections", "*")], {"unscoped_actions": ("glue:GetConnections",)}),
        "a condition on the owner keeps it": ([], [allowed("s3:GetObject", "arn:aws:s3:::data-*/models/*", {"StringEquals": {"aws:ResourceAccount": "123456789012"}})], {}),
        "a condition that may be absent breaks it": (["on *"], [allowed("s3:GetObject", "*", {"StringEqualsIfExists": {"aws:ResourceAccount": "123456789012"}})], {}),
        "making what bears a tag keeps it": ([], [allowed(["sagemaker:CreateHyperParameterTuningJob", "sagemaker:AddTags"], f"{TUNINGS}/*", OWN_TAG)], {}),
        "a tag of the request limits nothing that is there": (["sagemaker:stop"], [allowed(["sagemaker:CreateHyperParameterTuningJob", "sagemaker:StopHyperParameterTuningJob"], f"{TUNINGS}/*", OWN_TAG)], {}),
        "an interface that is made in named subnets keeps it": ([], [allowed("ec2:CreateNetworkInterface", [f"{EC2}:network-interface/*", f"{EC2}:subnet/subnet-1"])], {}),
        "an interface anywhere breaks it": (["network-interface/*"], [allowed("ec2:CreateNetworkInterface", f"{EC2}:network-interface/*")], {}),
        "an interface in any subnet breaks it": (["subnet/*"], [allowed("ec2:CreateNetworkInterface", [f"{EC2}:network-interface/*", f"{EC2}:subnet/*"])], {}),
        "deleting others' interfaces breaks it": (["ec2:deletenetworkinterface"], [allowed(["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"], [f"{EC2}:network-interface/*", f"{EC2}:subnet/subnet-1"])], {}),
        "interfaces of one subnet keep it": ([], [allowed("ec2:DeleteNetworkInterface", f"{EC2}:network-interface/*", {"ArnEquals": {"ec2:Subnet": f"{EC2}:subnet/subnet-1"}})], {}),
        "a policy of a resource means that resource": ([], [of_topic({"AWS": PASS})], {}),
    },
    "pass-role": {
        "passing any role breaks it": (["any role"], [allowed("iam:PassRole", "*")], {}),
        "passing one to any service breaks it": (["any service"], [allowed("iam:PassRole", PASS)], {}),
        "passing one to one service keeps it": ([], [allowed("iam:PassRole", PASS, {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}})], {}),
    },
    "sealed-models": {
        "a training that may write what is registered breaks it": (["statement Read lets the jobs of churn write artifacts/models/churn"], training("s3:PutObject", "arn:aws:s3:::artifacts/models/*"), {}),
        "a wildcard that takes it in breaks it": (["write artifacts/models/churn"], training("s3:Put*", "arn:aws:s3:::artifacts/*"), {}),
        "deleting is writing": (["write artifacts/models/churn"], training("s3:DeleteObject", "arn:aws:s3:::artifacts/models/churn/1/*"), {}),
        "everything but something else breaks it": (["write artifacts/models/churn"], training([], None, NotResource="arn:aws:s3:::artifacts/code/*", NotAction="iam:*"), {}),
        "registering what the training left breaks it": (["write artifacts/pipelines/churn"], training("s3:PutObject", "arn:aws:s3:::artifacts/pipelines/*", model="Steps.Train.ModelArtifacts.S3ModelArtifacts"), {}),
        "writing elsewhere keeps it": ([], training("s3:PutObject", "arn:aws:s3:::artifacts/pipelines/*"), {}),
        "reading keeps it": ([], training("s3:GetObject", "arn:aws:s3:::artifacts/models/*"), {}),
        "another role may": ([], training("s3:PutObject", "arn:aws:s3:::artifacts/models/*", of="sealing"), {}),
    },
    "alert-delivery": {
        "a topic that asks EventBridge for a source breaks it": (["does not send"], [of_topic({"Service": "events.amazonaws.com"}, SOURCE)], {}),
        "a topic that asks for nothing keeps it": ([], [of_topic({"Service": "events.amazonaws.com"})], {}),
        "alarms name their source": ([], [of_topic({"Service": "cloudwatch.amazonaws.com"}, SOURCE)], {}),
        "so does the key of a topic": (["does not send"], [k := key_for({"Service": "events.amazonaws.com"}, SOURCE), made(types.TOPIC, "t", kmsMasterKeyId=k)], {}),
        "the key of something else may ask": ([], [k], {}),
        "a target with a role breaks it": (["a rule with a role"], [t := made(types.TOPIC, "t"), made(types.EVENT_TARGET, "x", {"roleArn": PASS}, arn=t)], {}),
        "a target without one keeps it": ([], [t, made(types.EVENT_TARGET, "x", arn=t)], {}),
    },
    "cross-account": {
        "a role that a stranger may assume breaks it": (["999999999999"], [trusting({"AWS": "arn:aws:iam::999999999999:root"})], {}),
        "a bare account number is a stranger too": (["999999999999"], [trusting({"AWS": "999999999999"})], {}),
        "an environment of the project keeps it": ([], [trusting({"AWS": "arn:aws:iam::123456789012:role/x"})], {}),
        "an account that the team lists keeps it": ([], [trusting({"AWS": "999999999999"})], {"trusted": ("999999999999",)}),
        "a service is no account": ([], [trusting({"Service": "lambda.amazonaws.com"})], {}),
        "a bucket that a stranger may read breaks it": (["999999999999"], [allowed("s3:GetObject", ACCOUNT, type_=types.BUCKET_POLICY, Principal={"AWS": ["999999999999", "123456789012"]})], {}),
    },
    "confused-deputy": {
        "a service without a source breaks it": (["events.amazonaws.com"], [trusting({"Service": "events.amazonaws.com"})], {}),
        "a source account keeps it": ([], [trusting({"Service": "events.amazonaws.com"}, SOURCE)], {}),
        "EventBridge sends no source to a topic": ([], [of_topic({"Service": "events.amazonaws.com"})], {}),
        "Lambda sends no source": ([], [trusting({"Service": "lambda.amazonaws.com"})], {}),
        "a topic that a service may publish to without a source breaks it": (["budgets"], [of_topic({"Service": "budgets.amazonaws.com"})], {}),
    },
}  # fmt: skip
