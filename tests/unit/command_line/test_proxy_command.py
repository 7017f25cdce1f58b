"""`throughline proxy` as a process of its own, with a system of the test's behind it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from throughline.command_line.main import main


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_it_stands_before_a_system_and_does_what_it_is_told() -> None:
    with HTTPServer(("127.0.0.1", 0), _Answers) as system:
        threading.Thread(target=system.serve_forever, daemon=True).start()
        command = [str(Path(sys.executable).parent / "throughline"), "proxy", "--listen", "0", "--name", "erp",
                   "--to", f"127.0.0.1:{system.server_address[1]}", "--seed", "5", "--faults", "error_503=0.5",
                   "--control", "0", "--json"]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout
                told = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
                with httpx.Client() as client:
                    address = f"http://127.0.0.1:{told['lines'][0]['listen']}/x"
                    met = [client.get(address).status_code for _ in range(60)]
                    counts = client.get(f"http://127.0.0.1:{told['control']}/lines").json()["erp"]
                assert set(met) == {204, 503}
                assert (counts["requests"], counts["error_503"], counts["seed"]) == (60, met.count(503), 5)
            finally:
                process.kill()
        system.shutdown()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "0", "--to", "nowhere"], "HOST:PORT"),
        (["--listen", "0", "--listen", "0", "--to", "a:1"], "one --to for every --listen"),
        (["--listen", "0", "--to", "a:1", "--faults", "drop=1"], "there is no fault 'drop'"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["proxy", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
