"""A whole server: models, gRPC and REST, started and stopped."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import tensorflow as tf
from absl import logging
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from export import serving_config
from export.server import batching, grpc_service, metrics, rest, servable, settings, web
from export.server import manager as managers
from export.server import service as services

Config = settings.Config
"""What a `Server` is told."""

_GRACE_SECONDS = 10.0
"""For requests under way when the server is stopped."""
_JOIN_SECONDS = 5.0
"""For a version that is being loaded then."""


class Server:
    """`with Server(Config(...)) as server:` answers on `server.grpc_port` and `server.rest_port` until it is left; or `start()` and `stop()`.

    For development and for proving an export: it runs a version as TensorFlow Serving does, in a session behind TensorFlow's batching kernel,
    under the same protocol. It is one Python process: for production use TensorFlow Serving.
    """

    def __init__(self, config: Config):
        """ValueError for a configuration file that cannot be followed."""
        self._config = config
        self._parameters = batching.read(config.batching_parameters_file) if config.batching_parameters_file else None
        self._manager = managers.Manager(self._load, labels_for_unavailable=config.allow_version_labels_for_unavailable_models)
        self._service = services.Service(self._manager, metrics.Metrics(), config.max_concurrent_requests)
        self._application = rest.Application(self._service, timeout=config.rest_api_timeout_in_ms / 1000, metrics_path=_metrics_path(config))
        self._models = self._read_models()
        self._stopping = threading.Event()
        self._watchers: list[threading.Thread] = []
        self._grpc: grpc.Server | None = None
        self._web: web.WebServer | None = None
        self.grpc_port = 0
        self.rest_port = 0

    def start(self) -> "Server":
        """Loads the models, opens the ports, then follows changes. ValueError where a model has no version to serve, OSError for a taken port."""
        try:
            self._configure()
            self._open()
        except BaseException:
            self.stop(0)
            raise
        self._watch("versions", self._config.file_system_poll_wait_seconds, self._manager.look)
        if self._config.model_config_file:
            self._watch("configuration", self._config.model_config_file_poll_wait_seconds, self._reconfigure)
        return self

    def stop(self, seconds: float = _GRACE_SECONDS) -> None:
        """Refuses new requests, lets those under way end, no longer than `seconds`, closes the ports and unloads the models.

        A version that is being loaded is waited for a few seconds only; no further one is begun.
        """
        self._stopping.set()
        self._manager.cease()
        self._service.drain(seconds)
        if self._grpc is not None:
            self._grpc.stop(grace=1).wait()
        if self._web is not None:
            self._web.stop(1)
        end = time.monotonic() + _JOIN_SECONDS
        for watcher in self._watchers:
            watcher.join(max(0.0, end - time.monotonic()))
        self._manager.close(max(0.0, end - time.monotonic()))

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *unused: Any) -> None:
        self.stop()

    def _configure(self) -> None:
        try:
            self._manager.configure(self._models)
        except tf.errors.OpError as error:
            labels = isinstance(error, tf.errors.FailedPreconditionError)
            remedy = " To start with labels, set --allow_version_labels_for_unavailable_models=true." if labels else ""
            raise ValueError(f"The server cannot start: {services.message(error)}.{remedy}") from error

    def _open(self) -> None:
        config = self._config
        self._web = web.WebServer(
            self._application, host=config.host, port=config.rest_api_port, places=config.max_concurrent_requests, max_bytes=config.max_request_bytes
        )
        self.rest_port = self._web.port
        self._grpc = grpc_service.server(self._service, places=config.max_concurrent_requests, max_bytes=config.max_request_bytes)
        try:
            self.grpc_port = self._grpc.add_insecure_port(f"{config.host}:{config.port}")
        except RuntimeError as error:
            raise OSError(f"gRPC cannot listen on {config.host}:{config.port}; is the port taken?") from error
        self._web.start()
        self._grpc.start()

    def _load(self, directory: str) -> servable.Servable:
        """Loads a version directory, batched as the flags say."""
        parameters = None
        if self._config.enable_per_model_batching_parameters:
            path = os.path.join(directory, serving_config.VERSION_BATCHING)
            if os.path.exists(path):
                parameters = batching.read(path)
                if self._parameters is not None:  # the thread pool is the server's
                    parameters.num_batch_threads.value = self._parameters.num_batch_threads.value
        elif self._config.enable_batching:
            parameters = self._parameters or batching.defaults()
        return servable.Servable(directory, parameters=parameters, max_rows=self._config.max_request_rows)

    def _read_models(self) -> Any:
        """The ModelServerConfig of the flags."""
        config = self._config
        if not config.model_config_file:
            models = model_server_config_pb2.ModelServerConfig()
            base_path = os.path.abspath(config.model_base_path)
            models.model_config_list.config.add(name=config.model_name, base_path=base_path, model_platform="tensorflow")
            return serving_config.parse_models(text_format.MessageToString(models))
        models = serving_config.parse_models(_read(config.model_config_file))
        for entry in models.model_config_list.config:
            beside = os.path.join(os.path.dirname(os.path.abspath(config.model_config_file)), entry.name)
            if not os.path.exists(entry.base_path) and os.path.isdir(beside):
                # An export names its folder as a container will see it (/models/...).
                logging.info("%s: %s does not exist here; %s is served in its place.", entry.name, entry.base_path, beside)
                entry.base_path = beside
        return models

    def _reconfigure(self) -> None:
        self._manager.configure(self._read_models())

    def _watch(self, what: str, seconds: float, act: Callable[[], None]) -> None:
        """Calls `act` every `seconds`, 0 for never, until the server is stopped."""
        if seconds <= 0:
            return

        def run() -> None:
            said = ""
            while not self._stopping.wait(seconds):
                try:
                    act()
                    said = ""
                except Exception as error:  # e.g. a configuration being written: what runs goes on, and the next look tries again
                    if str(error) != said:
                        logging.error("Following the %s: %s", what, error)
                    said = str(error)

        thread = threading.Thread(target=run, name=f"watch {what}", daemon=True)
        thread.start()
        self._watchers.append(thread)


def _metrics_path(config: Config) -> str:
    """Where the metrics are, "" for nowhere."""
    if not config.monitoring_config_file:
        return ""
    prometheus = serving_config.parse_monitoring(_read(config.monitoring_config_file)).prometheus_config
    return (prometheus.path or serving_config.METRICS_PATH) if prometheus.enable else ""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error
