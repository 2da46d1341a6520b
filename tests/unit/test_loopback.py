"""Who a server on loopback answers: what browsers send by themselves, and what programs send."""

from __future__ import annotations

import pytest

from mlops_iac.emulators.common.loopback import guarded

HERE = "127.0.0.1:4566"


def answer(headers, method="GET", path="/"):
    """Status and headers of an application that gives everything away, behind the guard."""

    def generous(environ, start_response):
        given = [
            ("Access-Control-Allow-Origin", "*"),
            ("access-control-max-age", "1"),
            ("ETag", "x"),
        ]
        start_response("200 OK", given)
        return [b"secret"]

    said = {}

    def start_response(status, headers, *_):
        said.update(status=int(status[:3]), headers=[name for name, _ in headers])

    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_HOST": HERE}
    for name, value in headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    body = b"".join(guarded(generous, "right", ("/moto-api",))(environ, start_response))
    assert (said["status"] == 200) is (body == b"secret")
    return said["status"], said["headers"]


PROGRAMS = {
    "boto3 and the AWS CLI": {},
    "by name": {"Host": "localhost:4566"},
    "by name without a port": {"Host": "localhost"},
    "by its address of IPv6": {"Host": "[::1]:4566"},
    "a bucket in the name": {"Host": "my-bucket.v2.localhost:4566"},
    "a person who typed the address": {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
}
PAGES = {
    "a script's request": {"Origin": "https://evil.example"},
    "a page from a file, or in a sandbox": {"Origin": "null"},
    "a page that lies in a bucket here": {
        "Origin": f"http://{HERE}",
        "Sec-Fetch-Site": "same-origin",
    },
    "a picture, which says no origin": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
    "a page of another server of this machine": {"Sec-Fetch-Site": "same-site"},
    "a frame in a page that lies here": {"Sec-Fetch-Site": "same-origin"},
    "DNS that leads elsewhere's name here": {"Host": "evil.example:4566"},
    "such a name that begins as ours": {"Host": "127.0.0.1.evil.example"},
    "such a name that ends as ours": {"Host": "evil-localhost"},
    "a name and another one": {"Host": f"{HERE},evil.example"},
    "a name with a user before it": {"Host": "localhost@evil.example"},
    "no name": {"Host": ""},
}


@pytest.mark.parametrize("headers", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_are_answered_and_browsers_are_told_nothing(headers):
    assert answer(headers) == (200, ["ETag"])


@pytest.mark.parametrize("headers", PAGES.values(), ids=PAGES)
def test_pages_are_refused(headers):
    status, said = answer(headers)
    assert status == 403
    assert not any(name.lower().startswith("access-control") for name in said)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_browser_changes_nothing_whoever_typed_the_address(method):
    assert answer({"Sec-Fetch-Site": "none"}, method)[0] == 403
    assert answer({}, method)[0] == 200


@pytest.mark.parametrize("path", ["/moto-api/reset", "//moto-api/reset", "/Moto-Api/", "/moto-api"])
def test_what_steers_the_server_needs_its_token(path):
    assert answer({}, "POST", path)[0] == 403
    assert answer({"X-Mlops-Iac-Token": "wrong"}, "POST", path)[0] == 403
    assert answer({"X-Mlops-Iac-Token": "ÿ"}, "POST", path)[0] == 403
    assert answer({"X-Mlops-Iac-Token": "right"}, "POST", path)[0] == 200
    assert answer({"X-Mlops-Iac-Token": "right", "Origin": "null"}, "POST", path)[0] == 403
