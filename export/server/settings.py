"""What the server is told: the flags of tensorflow_model_server that it has, and its own limits. Needs no TensorFlow."""

import dataclasses
from typing import Any


def _setting(default: Any, text: str) -> Any:
    return dataclasses.field(default=default, metadata={"help": text})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """One server. Every field is also a flag of `tfgan-serve`; those that `tensorflow_model_server` has mean what they mean there.

    Two differences: both ports are open unless told otherwise, and port 0 is any free one (there: REST off).
    """

    port: int = _setting(8500, "Port of gRPC; 0 takes a free one.")
    rest_api_port: int = _setting(8501, "Port of REST, the metrics and the demo page; 0 takes a free one.")
    host: str = _setting("127.0.0.1", "Address to listen on. The server has no authentication: keep it on this machine.")
    model_name: str = _setting("default", "Name of the one model, where there is no --model_config_file.")
    model_base_path: str = _setting("", "Folder of the one model's numbered versions.")
    model_config_file: str = _setting("", "The models, their versions and labels, as tfgan-export writes it; in place of --model_base_path.")
    model_config_file_poll_wait_seconds: float = _setting(0, "Seconds between two readings of --model_config_file; 0 reads it once.")
    file_system_poll_wait_seconds: float = _setting(1, "Seconds between two looks for new versions; 0 looks once.")
    enable_batching: bool = _setting(False, "Merge the requests of different callers.")
    batching_parameters_file: str = _setting("", "BatchingParameters for all models.")
    enable_per_model_batching_parameters: bool = _setting(
        False, "Take them from batching_params.pbtxt in each version; a version without is not batched."
    )
    monitoring_config_file: str = _setting("", "MonitoringConfig, with the path of Prometheus metrics.")
    allow_version_labels_for_unavailable_models: bool = _setting(
        False, "Let a new label name a version that is not loaded yet; needed to start with labels."
    )
    rest_api_timeout_in_ms: int = _setting(30000, "Time for one REST request.")
    max_request_bytes: int = _setting(64 * 2**20, "Largest body or gRPC message.")
    max_request_rows: int = _setting(256, "Most rows in one request; a batched model takes at most its max_batch_size.")
    max_concurrent_requests: int = _setting(64, "Requests being answered at once over gRPC and REST; further ones get UNAVAILABLE (503).")

    def __post_init__(self):
        if bool(self.model_base_path) == bool(self.model_config_file):
            raise ValueError(
                "Say what to serve: --model_name=<name> --model_base_path=<folder of numbered versions>, or --model_config_file=<models.config>."
            )
        if self.batching_parameters_file and not self.enable_batching:
            raise ValueError("--batching_parameters_file is set without --enable_batching=true.")
        if self.enable_per_model_batching_parameters and not self.enable_batching:
            raise ValueError("--enable_per_model_batching_parameters is set without --enable_batching=true.")
        for name in ("max_request_bytes", "max_request_rows", "max_concurrent_requests", "rest_api_timeout_in_ms"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1; received {getattr(self, name)}.")
        for name in ("port", "rest_api_port"):
            if not 0 <= getattr(self, name) < 2**16:
                raise ValueError(f"--{name} must be in [0, 65535]; received {getattr(self, name)}.")
        if self.port and self.port == self.rest_api_port:
            raise ValueError(f"--port and --rest_api_port are both {self.port}; gRPC and REST need a port each.")
