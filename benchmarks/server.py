"""Streamlit servers as `make run` starts them, and how much memory they hold."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import Unavailable

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
MIB = 2**20


class Server:
    """A script served by Streamlit on a free port, which it keeps when it is started again."""

    def __init__(self, script: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.script = script
        self.start()

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process and wait until it answers."""
        command = [sys.executable, "-m", "streamlit", "run", str(self.script), "--server.headless", "true"]
        command += ["--server.port", str(self.port), "--server.address", "127.0.0.1"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._await_health()

    def stop(self) -> None:
        """End the process, as a host does."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def memory(self) -> float:
        """Resident memory in MiB; not a number once the process is gone, or where there is no /proc."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return float("nan")
        lines = (line.split() for line in status.splitlines())
        return next((int(line[1]) * 1024 / MIB for line in lines if line[0] == "VmRSS:"), float("nan"))

    def _await_health(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            try:
                connection.request("GET", "/_stcore/health")
                if connection.getresponse().status == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
            finally:
                connection.close()
        self.stop()
        raise Unavailable("a Streamlit server did not start")


@contextmanager
def streamlit(script: Path) -> Iterator[Server]:
    """Serve a script as long as the context lasts."""
    server = Server(script)
    try:
        yield server
    finally:
        server.stop()
