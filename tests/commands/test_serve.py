"""What an operator meets: addresses that can be called, and an end that comes when it is asked for."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from service.commands.serve import _address

SERVE = [sys.executable, "-m", "service", "serve", "--port", "0", "--data-dir"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"), ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"), ("::1", "http://[::1]:8080"), ("casebridge.example", "http://casebridge.example:8080"),
    ],
)  # fmt: skip
def test_the_address_we_print_can_be_called(host: str, url: str) -> None:
    assert _address(host, 8080) == url


def test_sigterm_ends_us_though_nobody_reads_our_log(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with subprocess.Popen([*SERVE, str(tmp_path / "data")], stdout=writing, stderr=writing) as serving:
        os.close(writing)
        with os.fdopen(reading) as log:
            assert log.readline().startswith("ready http")
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(30) == 0


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"CASEBRIDGE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "nothing listens"),
        ({"CASEBRIDGE_POLL_SECONDS": "soon"}, "CASEBRIDGE_POLL_SECONDS"),
        ({"CASEBRIDGE_GUIDES": "/nonexistent.tgz"}, "no such file"),
    ],
)
def test_a_start_that_cannot_be_is_refused_in_a_sentence(
    given: dict[str, str], word: str, tmp_path: Path
) -> None:
    asked = [*SERVE, str(tmp_path / "data")]
    done = subprocess.run(asked, env={**os.environ, **given}, capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 2)
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run([*SERVE, str(tmp_path / "file")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "cannot be used" in done.stderr


def test_a_misspelt_setting_is_named_with_the_one_that_is_meant(tmp_path: Path) -> None:
    given = {**os.environ, "CASEBRIDGE_POLL_SECOND": "5", "CASEBRIDGE_UNICORN": "1"}
    (tmp_path / ".env").write_text("CASEBRIDGE_PUBLIC_URI=https://x.example\n")
    command = [sys.executable, "-m", "service", "settings"]
    done = subprocess.run(
        command, env=given, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True
    )
    assert done.stderr.splitlines() == [
        "CASEBRIDGE_POLL_SECOND is no setting; is CASEBRIDGE_POLL_SECONDS meant?",
        "CASEBRIDGE_PUBLIC_URI is no setting; is CASEBRIDGE_PUBLIC_URL meant?",
        "CASEBRIDGE_UNICORN is no setting",
    ]


def test_whichever_of_several_processes_is_asked_counts_for_all(tmp_path: Path) -> None:
    asked = [*SERVE, str(tmp_path / "data"), "--workers", "2"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
        assert serving.stdout is not None
        url = serving.stdout.readline().removeprefix("ready ").strip()
        try:
            answers = [httpx.get(f"{url}/health/live", trust_env=False, timeout=60) for _ in range(20)]
            assert {each.status_code for each in answers} == {200}
            for _ in range(6):  # each on a connection of its own, taken by whichever process is free
                text = httpx.get(f"{url}/metrics", trust_env=False, timeout=60).text
                assert (
                    'casebridge_requests_total{method="GET",route="/health/live",status="200"} 20.0' in text
                )
        finally:
            serving.send_signal(signal.SIGTERM)
            try:
                assert serving.wait(60) == 0
            finally:
                serving.kill()
