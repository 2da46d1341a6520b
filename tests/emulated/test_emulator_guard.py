"""The running emulator: web pages are refused, and what programs send goes on as ever."""

from __future__ import annotations

import http.client
import os
import socket
import urllib.request

import boto3
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from mlops_iac.emulators.aws import server
from mlops_iac.emulators.aws.clients import Clients


@pytest.fixture(scope="module")
def info(tmp_path_factory):
    work = tmp_path_factory.mktemp("project") / ".mlops-iac"
    yield server.AwsServer(work).ensure()
    server.AwsServer(work).stop()


@pytest.fixture(scope="module")
def s3(info):
    client = server.client("s3", info)
    client.create_bucket(
        Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    client.put_object(Bucket="kept", Key="secret.txt", Body=b"secret")
    allowed = {"AllowedMethods": ["PUT", "GET", "DELETE"], "AllowedOrigins": ["*"]}
    client.put_bucket_cors(Bucket="kept", CORSConfiguration={"CORSRules": [allowed]})
    return client


def asked(info, method, path, headers=(), body=None):
    connection = http.client.HTTPConnection("127.0.0.1", info.port, timeout=30)
    connection.request(method, path, body=body, headers=dict(headers))
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "PUT", "DELETE", "POST"])
def test_a_page_is_refused_also_by_a_bucket_that_lets_every_origin(info, s3, method):
    wanted = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"}
    status, headers, body = asked(info, method, "/kept/secret.txt", wanted)
    assert (status, b"secret" in body) == (403, False)
    assert not [name for name in headers if name.lower().startswith("access-control")]
    assert s3.get_object(Bucket="kept", Key="secret.txt")["Body"].read() == b"secret"


def test_a_program_is_told_nothing_that_lets_a_page_read_it(info, s3):
    headers = asked(info, "GET", "/kept/secret.txt")[1]
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_another_name_for_this_machine_is_no_way_in(info, s3):
    assert asked(info, "GET", "/kept/secret.txt", {"Host": f"evil.example:{info.port}"})[0] == 403
    assert asked(info, "GET", "http://evil.example/kept/secret.txt")[0] == 403


def test_what_a_refused_form_says_is_no_second_request(info, s3):
    """A form of plain text says what it likes, also what looks like a request of its own."""
    second = f"DELETE /kept/secret.txt HTTP/1.1\r\nHost: 127.0.0.1:{info.port}\r\n\r\n"
    first = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{info.port}\r\nOrigin: null\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(second)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", info.port), timeout=30) as connection:
        connection.sendall((first + second).encode())
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.count(b"HTTP/1.1 ") == 1
    assert s3.get_object(Bucket="kept", Key="secret.txt")["Body"].read() == b"secret"


def test_everything_is_not_forgotten_for_whoever_asks(info, s3):
    for path in ("/moto-api/reset", "//moto-api/reset", "/moto-api%2freset"):
        assert asked(info, "POST", path)[0] != 200
    assert asked(info, "GET", "/mlops-iac/identity")[0] == 403
    assert [item["Name"] for item in s3.list_buckets()["Buckets"]] == ["kept"]
    assert asked(info, "GET", "/moto-api/data.json", {"X-Mlops-Iac-Token": info.token})[0] == 200


def test_a_bucket_in_the_hosts_name_and_a_signed_form_are_answered(info, s3):
    session = boto3.Session("local", "local", region_name="eu-west-1")
    options = {"endpoint_url": f"http://localhost:{info.port}"}
    named = session.client(
        "s3", **options, config=Config(s3={"addressing_style": "virtual"}, proxies={})
    )
    url = named.generate_presigned_url("get_object", {"Bucket": "kept", "Key": "secret.txt"})
    assert url.startswith(f"http://kept.localhost:{info.port}/")
    # Not every machine knows the name; the server does.
    host, _, path = url.removeprefix("http://").partition("/")
    assert asked(info, "GET", f"/{path}", {"Host": host})[2] == b"secret"
    request = AWSRequest(
        "POST", info.url, {"X-Amz-Date": "x"}, "Action=ListRoles&Version=2010-05-08"
    )
    SigV4Auth(Credentials("local", "local"), "iam", "us-east-1").add_auth(request)
    signed = urllib.request.Request(request.url, request.data.encode(), dict(request.headers))
    with urllib.request.urlopen(signed, timeout=30) as response:
        assert b"ListRolesResponse" in response.read()


def settings_of_a_shell():
    known = botocore.session.Session.SESSION_VARIABLES.values()
    for names in (variables for _, variables, *_ in known if variables):
        yield from ((name, "not-there") for name in ([names] if isinstance(names, str) else names))
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "HTTP_PROXY", "http_proxy"):
        yield name, "http://127.0.0.1:9"
    for name in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"):
        yield name, "true"


# A profile alone, too: others may keep it from being asked for.
@pytest.mark.parametrize("only", ["AWS_PROFILE", ""])
def test_no_setting_of_the_users_shell_reaches_the_emulator(tmp_path, monkeypatch, only):
    """They say how to reach a real cloud."""
    for name, value in settings_of_a_shell():
        if only in (name, ""):
            monkeypatch.setenv(name, value)
    assert os.environ["AWS_PROFILE"] == "not-there"
    work = tmp_path / ".mlops-iac"
    info = server.AwsServer(work).ensure()
    try:
        clients = Clients(info.url, "eu-west-1", "012345678901")
        assert clients.get("s3").list_buckets()["Buckets"] == []
        assert "QueueUrl" in clients.get("sqs").create_queue(QueueName="q")
        assert "KeyMetadata" in clients.get("kms").create_key()
        assert clients.get("sagemaker").list_models()["Models"] == []
        assert clients.get("sts").get_caller_identity()["Account"] == "012345678901"
    finally:
        server.AwsServer(work).stop()
