"""The emulator's process: started once, survives, is told apart, stopped, replaced."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mlops_iac.emulators import plugin
from mlops_iac.emulators.aws import server
from mlops_iac.emulators.aws.provider import AwsProvider
from mlops_iac.emulators.common import processes
from mlops_iac.emulators.common import server as common
from mlops_iac.emulators.common.server import answer_seconds
from mlops_iac.errors import MlopsError, TimedOut, UsageError


@pytest.fixture
def work(tmp_path):
    path = tmp_path / ".mlops-iac"
    yield path
    with_silent = server.AwsServer(path).status()
    if with_silent is not None and with_silent.state == "silent":
        os.kill(with_silent.pid, signal.SIGCONT)
    server.AwsServer(path).stop()


def wait_until_gone(pid):
    for _ in range(6000):
        try:
            os.waitpid(pid, os.WNOHANG)
            os.kill(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return
        time.sleep(0.01)
    raise AssertionError("the process is still there")


def test_nothing_was_started(work):
    assert server.AwsServer(work).status() is None
    assert server.AwsServer(work).stop() is False
    assert not work.exists()


def test_start_twice_is_one_process_and_stop_ends_it(work):
    first = server.AwsServer(work).ensure()
    assert first.running
    assert server.AwsServer(work).ensure() == first
    assert (work / ".gitignore").read_text() == "*\n"
    assert server.client("sts", first).get_caller_identity()["Account"] == "123456789012"
    assert server.AwsServer(work).stop() is True
    assert server.AwsServer(work).status() is None
    assert server.AwsServer(work).stop() is False
    wait_until_gone(first.pid)


def test_it_survives_the_command_that_started_it_and_its_interrupt(work):
    code = (
        "import sys, pathlib; from mlops_iac.emulators.aws import server;"
        "server.AwsServer(pathlib.Path(sys.argv[1])).ensure()"
    )
    subprocess.run([sys.executable, "-c", code, str(work)], check=True, timeout=60)
    found = server.AwsServer(work).status()
    assert found is not None
    assert found.running
    os.kill(found.pid, signal.SIGINT)
    assert os.getpgid(found.pid) != os.getpgid(0)
    assert server.AwsServer(work).status().running


def test_two_starters_at_once_make_one(work):
    code = (
        "import sys, pathlib; from mlops_iac.emulators.aws import server;"
        "print(server.AwsServer(pathlib.Path(sys.argv[1])).ensure().instance)"
    )
    command = [sys.executable, "-c", code, str(work)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    instances = {process.communicate(timeout=60)[0] for process in both}
    assert len(instances) == 1


def test_killed_it_is_lost_and_the_next_one_is_another(work):
    first = server.AwsServer(work).ensure()
    server.client("s3", first).create_bucket(
        Bucket="bucket-one", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    os.kill(first.pid, signal.SIGKILL)
    wait_until_gone(first.pid)
    lost = server.AwsServer(work).status()
    assert lost.state == "lost"
    assert "lost" in lost.message
    second = server.AwsServer(work).ensure()
    assert second.instance != first.instance
    assert second.port == first.port  # addresses in people's shells stay good
    assert server.client("s3", second).list_buckets()["Buckets"] == []


def test_one_that_stopped_answering_is_told_and_can_be_stopped(work, monkeypatch):
    info = server.AwsServer(work).ensure()
    monkeypatch.setattr(common, "_ANSWER_SECONDS", 0.3)
    os.kill(info.pid, signal.SIGSTOP)
    assert server.AwsServer(work).status().state == "silent"
    with pytest.raises(TimedOut, match="does not answer") as caught:
        server.AwsServer(work).ensure()
    assert "local stop" in caught.value.hint
    # SIGTERM waits for the process to continue; SIGKILL does not.
    monkeypatch.setattr(common, "_END_SECONDS", 1.5)
    assert server.AwsServer(work).stop() is True
    wait_until_gone(info.pid)


def test_a_foreign_server_on_the_port_is_left_alone(work):
    class Foreign(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"instance": "someone else"}')

        def log_message(self, *_):
            pass

    foreign = http.server.HTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=foreign.serve_forever, daemon=True).start()
    folder = work / "emulator"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps(record(port=foreign.server_port)))
    try:
        assert server.AwsServer(work).status().state == "lost"
        info = server.AwsServer(work).ensure()
        assert info.running
        assert info.port != foreign.server_port
    finally:
        foreign.shutdown()


INSTANCE = "0123456789abcdef"
MODULE = "mlops_iac.emulators.aws.moto_process"


def record(**other):
    """What a `server.json` says that somebody else wrote; by itself it names no living process."""
    plain = {"port": 1, "pid": 2**30, "instance": INSTANCE, "started": 1.0, "began": "1"}
    return {**plain, "token": "t", **other}


# What a forger has us take for ours: what somebody's process was given, and what the record says.
# `{work}` is the folder of the emulator.
FORGED = {
    "an empty instance, which any command line holds": ([], {"instance": ""}),
    "the interpreter's name, which many hold": ([], {"instance": "python"}),
    "another program that names the instance": ([INSTANCE], {}),
    "our words within one of its own": (
        [f"-P -m {MODULE} --work {{work}} --instance {INSTANCE}"],
        {},
    ),
    "our words behind others": (
        ["-P", "-m", MODULE, "--work", "{work}", "--instance", INSTANCE, "--port", "0"],
        {},
    ),
}


@pytest.mark.parametrize("words, other", FORGED.values(), ids=FORGED)
def test_stop_never_ends_a_process_that_is_not_ours(work, words, other):
    folder = work / "emulator"
    folder.mkdir(parents=True)
    words = [word.replace("{work}", str(folder)) for word in words]
    waits = [sys.executable, "-c", "input()", *words]
    with subprocess.Popen(waits, stdin=subprocess.PIPE) as bystander:
        forged = record(pid=bystander.pid, began=processes.began(bystander.pid)) | other
        (folder / "server.json").write_text(json.dumps(forged))
        assert server.AwsServer(work).stop() is False
        assert bystander.poll() is None
        bystander.communicate(b"\n")


@pytest.mark.parametrize("other", [{"began": "1"}, {"instance": INSTANCE}, {}], ids=str)
def test_a_record_that_is_not_that_of_the_process_ends_no_emulator(work, tmp_path, other):
    """Of its time, of its name, or of another project's folder, where all else is as it is."""
    elsewhere = work if other else tmp_path / "other" / ".mlops-iac"
    info = server.AwsServer(elsewhere).ensure()
    true = (elsewhere / "emulator" / "server.json").read_text()
    (work / "emulator").mkdir(parents=True, exist_ok=True)
    forged = json.dumps({**json.loads(true), "port": 1, **other})
    (work / "emulator" / "server.json").write_text(forged)
    assert server.AwsServer(work).stop() is False
    (elsewhere / "emulator" / "server.json").write_text(true)
    assert server.AwsServer(elsewhere).status() == info
    assert server.AwsServer(elsewhere).stop() is True


def test_a_project_that_was_moved_is_told_that_its_emulator_stays(work, tmp_path):
    info = server.AwsServer(work).ensure()
    moved = work.rename(tmp_path / "moved")
    with pytest.raises(MlopsError, match="nothing was ended") as caught:
        server.AwsServer(moved).stop()
    assert "moved" in caught.value.hint
    moved.rename(work)
    assert server.AwsServer(work).status() == info


def test_it_is_one_emulator_whichever_link_leads_to_the_project(work, tmp_path):
    info = server.AwsServer(work).ensure()
    link = tmp_path / "link"
    link.symlink_to(work.parent)
    assert server.AwsServer(link / work.name).ensure() == info
    assert server.AwsServer(link / work.name).stop() is True


def test_a_record_of_its_life_is_for_its_owner_alone(work):
    info = server.AwsServer(work).ensure()
    modes = {path.name: path.stat().st_mode & 0o777 for path in (work / "emulator").glob("server*")}
    assert modes == {"server.json": 0o600, "server.log": 0o600}
    assert info.token not in repr(info)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="proc(5) is Linux's")
def test_emulator_and_plugin_listen_on_loopback_alone(work):
    listening = "0A"
    with plugin.serve(AwsProvider(lambda: "", region="eu-west-1", account="1" * 12)) as served:
        for port in (server.AwsServer(work).ensure().port, served.port):
            rows = [
                row.split()
                for name in ("tcp", "tcp6")
                for row in Path("/proc/net", name).read_text().splitlines()[1:]
            ]
            found = [row[1] for row in rows if row[3] == listening]
            mapped = "0000000000000000FFFF0000"  # ::ffff:127.0.0.1
            here = [each.removeprefix(mapped) for each in found if each.endswith(f":{port:04X}")]
            assert here == [f"0100007F:{port:04X}"]


def test_a_browser_does_not_speak_what_the_plugin_does():
    """gRPC is HTTP/2 from the first byte; over plain text browsers begin with HTTP/1.1."""
    with plugin.serve(AwsProvider(lambda: "", region="eu-west-1", account="1" * 12)) as served:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        with pytest.raises((http.client.HTTPException, OSError)):
            connection.request("POST", "/pulumirpc.ResourceProvider/GetPluginInfo", b"")
            connection.getresponse()
        connection.close()


@pytest.mark.parametrize("proc", [True, False], ids=["by /proc", "by ps"])
def test_one_of_ours_is_known_on_every_system(work, monkeypatch, proc):
    if not proc:
        monkeypatch.setattr(processes, "_PROC", False)
    elif not processes._PROC:
        pytest.skip("no /proc here")
    info = server.AwsServer(work).ensure()
    words = ["-P", "-m", MODULE, "--work", str(work / "emulator"), "--instance", info.instance]
    assert processes.started_with(info.pid, words)
    assert not processes.started_with(info.pid, [*words[:-1], info.instance[:-1]])
    assert processes.began(info.pid) == processes.began(info.pid) != ""
    assert processes.began(info.pid) != processes.began(os.getpid())
    os.kill(info.pid, signal.SIGKILL)
    wait_until_gone(info.pid)
    assert processes.began(info.pid) == ""
    assert not processes.started_with(info.pid, words)


@pytest.mark.parametrize("pid", [-1, 0, 1, 2**40])
def test_what_is_no_process_of_ours_to_name_is_signalled_to_nobody(work, monkeypatch, pid):
    """`kill -1` is every process of the user's."""
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a signal was sent"))
    folder = work / "emulator"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps(record(pid=pid)))
    assert server.AwsServer(work).stop() is False


@pytest.mark.parametrize("content", ["", "{", "[]", '{"port": "x"}', '{"port": 1}'])
def test_a_torn_file_is_no_emulator(work, content):
    folder = work / "emulator"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(content)
    assert server.AwsServer(work).status() is None


def test_one_that_ends_at_once_is_an_error_with_its_last_words(work, monkeypatch):
    monkeypatch.setattr(server.AwsServer, "module", "mlops_iac.no_such_module")
    with pytest.raises(MlopsError, match="no_such_module"):
        server.AwsServer(work).ensure()


def test_a_folder_that_cannot_be_written(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        server.AwsServer(blocker / ".mlops-iac").ensure()


def test_starting_is_quick(work):
    spent = []
    for _ in range(3):  # the best of them: a busy machine is no reason
        started = time.perf_counter()
        server.AwsServer(work).ensure()
        spent.append(time.perf_counter() - started)
        server.AwsServer(work).stop()
    assert min(spent) < 10  # 0.5 s on an idle laptop


def test_how_long_an_answer_may_take_is_the_users(work, monkeypatch):
    assert answer_seconds() == 30
    monkeypatch.setenv("MLOPS_IAC_EMULATOR_TIMEOUT", "2.5")
    info = server.AwsServer(work).ensure()
    assert server.client("s3", info).meta.config.read_timeout == 2.5


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf"])
def test_what_is_no_time_is_refused(monkeypatch, text):
    monkeypatch.setenv("MLOPS_IAC_EMULATOR_TIMEOUT", text)
    with pytest.raises(UsageError, match=f"MLOPS_IAC_EMULATOR_TIMEOUT is '{text}'; it takes sec"):
        answer_seconds()
