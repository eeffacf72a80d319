"""`tfgan-serve` as a process of its own, with its memory."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

_START_SECONDS = 600.0
_STOP_SECONDS = 30.0


class Server:
    """A running server: where it listens, and the memory it has used so far."""

    def __init__(self, process: subprocess.Popen, grpc: str, rest: str):
        self.grpc, self.rest = grpc, rest
        self._process = process
        self.megabytes: list[float] = []

    def look(self) -> None:
        """Notes the resident memory."""
        with open(f"/proc/{self._process.pid}/status", encoding="utf-8") as file:
            found = re.search(r"VmRSS:\s+(\d+) kB", file.read())
        if not found:
            raise RuntimeError("The server has ended.")
        self.megabytes.append(int(found[1]) / 1024)


@contextlib.contextmanager
def running(folder: str, *arguments: str) -> Iterator[Server]:
    """Serves on two free ports until left; the log is `<folder>/server.log`. RuntimeError, with its end, if the server does not start."""
    log = os.path.join(folder, "server.log")
    command = [sys.executable, "-m", "export.server.main", "--port=0", "--rest_api_port=0", *arguments]
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True)
    late = threading.Timer(_START_SECONDS, process.kill)
    late.start()
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        late.cancel()
        found = re.fullmatch(r"gRPC (\S+)\nREST (http://[^/]+)/.*\n", "".join(lines))
        if not found:
            with open(log, encoding="utf-8") as file:
                raise RuntimeError(f"The server did not start: {file.read()[-2000:]}")
        yield Server(process, found[1], found[2])
    finally:
        late.cancel()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
