"""A WSGI application on a port: waitress, with bounded threads, connections and bodies, and TF Serving's form of errors."""

import json
import socket
import threading
import time

import waitress
from absl import logging
from waitress import channel, task, wasyncore

_SPARE_THREADS = 4
"""For answering while every place is taken: that there is none, and what needs none."""
_CONNECTIONS = 1000
_IDLE_SECONDS = 60
"""Then a connection that sends nothing is closed, be it between two requests or in the middle of one."""
_POLL_SECONDS = 0.2


class _ErrorTask(task.ErrorTask):
    """Refuses what is no proper request, such as a body over the limit, before anything reads it."""

    def execute(self):
        error = self.request.error
        body = json.dumps({"error": f"{error.reason}: {error.body}"}).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(channel.HTTPChannel):
    error_task_class = _ErrorTask


class WebServer:
    """Serves `application` from a thread of its own until `stop`."""

    def __init__(self, application, *, host: str, port: int, places: int, max_bytes: int):
        """Listens from now on. OSError where the port is taken."""
        self._server = waitress.create_server(
            application,
            sockets=[socket.create_server((host, port))],
            threads=places + _SPARE_THREADS,
            connection_limit=_CONNECTIONS,
            channel_timeout=_IDLE_SECONDS,
            max_request_body_size=max_bytes,
            asyncore_use_poll=True,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
        self._server.channel_class = _Channel
        self._stopping = threading.Event()
        self._end = 0.0
        self._thread = threading.Thread(target=self._run, name="rest", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.effective_port)

    def start(self) -> None:
        """Accepts requests."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Takes no new connections, sends what has been answered, no longer than `seconds`, and closes."""
        if not self._stopping.is_set():
            self._end = time.monotonic() + seconds
            self._stopping.set()
            self._server.pull_trigger()
            if self._thread.ident is None:  # never started: only to close
                self._thread.start()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._loop()
        self._server.del_channel()
        self._server.socket.close()
        while self._busy() and time.monotonic() < self._end:
            self._loop()
        self._server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._server._map, ignore_all=True)

    def _busy(self) -> bool:
        return any(open_.requests or open_.total_outbufs_len for open_ in list(self._server.active_channels.values()))

    def _loop(self) -> None:
        try:
            wasyncore.loop(timeout=_POLL_SECONDS, use_poll=True, map=self._server._map, count=1)
        except Exception:  # one connection's fault must not end the others
            logging.exception("The REST server's loop")
