"""TensorFlow Serving's configuration files: written, read strictly, and checked as the server does at start."""

import json
import os
import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from export import protos, versions

MODELS = "models.config"
BATCHING = "batching.config"
MONITORING = "monitoring.config"
TLS = "ssl.config"
VERSION_BATCHING = "batching_params.pbtxt"
"""Inside a version directory, where a server started with --enable_per_model_batching_parameters looks for it."""

_BATCH_TIMEOUT_MICROSECONDS = 2000
"""How long a request waits for others; small beside the time of a batch on CPU. Tune it (docs/serving.md)."""
_ENQUEUED_BATCHES = 100
"""Batches that may wait before the server answers UNAVAILABLE; TF Serving's default of 10 refuses short bursts."""
_VERSIONS_LOADED = 2
METRICS_PATH = "/monitoring/prometheus/metrics"
"""The server's own choice too, where its configuration names none."""
NEWEST_LABEL = "canary"
"""The label that each export moves to its version."""
STABLE_LABEL = "stable"
"""The label that stays until a version is promoted."""
HISTORY = "history.json"
"""Beside `models.config`, what its entries do not say: {model: {"before": [versions that were stable], "policy": the one before a list}}."""
_FORGET = "Move it away; what was stable before, and the policy of an entry that is a list now, are then forgotten."
_DEFAULT_POLICY = "latest { num_versions: 1 }"
_LABEL = re.compile(r"[A-Za-z0-9_]+")


def check_batch_sizes(batch_sizes: Sequence[int]) -> tuple[int, ...]:
    """The allowed batch sizes as a tuple. ValueError unless they are positive and rise."""
    sizes = tuple(batch_sizes)
    if not sizes or sizes[0] < 1 or any(low >= high for low, high in zip(sizes, sizes[1:], strict=False)):
        raise ValueError(f"The batch sizes must be positive and rise, e.g. 1,2,4,8; received {list(sizes)}.")
    return sizes


def batching(batch_sizes: Sequence[int], existing: str = "") -> str:
    """Batching parameters allowing `batch_sizes`; every other field, and further sizes, are kept from the text `existing`."""
    parameters = protos.message_class("BatchingParameters")()
    if existing:
        parameters = parse_batching(existing)
    else:
        parameters.batch_timeout_micros.value = _BATCH_TIMEOUT_MICROSECONDS
        parameters.max_enqueued_batches.value = _ENQUEUED_BATCHES
    sizes = sorted(set(check_batch_sizes(batch_sizes)) | set(parameters.allowed_batch_sizes))
    parameters.max_batch_size.value = sizes[-1]
    parameters.allowed_batch_sizes[:] = sizes
    return _text(parameters, parse_batching)


def monitoring() -> str:
    """Prometheus metrics on the REST port."""
    config = protos.message_class("MonitoringConfig")()
    config.prometheus_config.enable = True
    config.prometheus_config.path = METRICS_PATH
    return _text(config, parse_monitoring)


def models(existing: str, model_name: str, base_path: str, available: Sequence[int]) -> str:
    """The model list with an entry for `model_name`, whose last version of `available` is new.

    A new entry loads the newest versions and labels the new one `stable` and `canary`. An entry of the text `existing` keeps its policy and
    its labels, but: `canary` moves to the new version if the policy loads it; and a policy of the newest versions that would drop the version of
    another label, such as `stable`, at the next export becomes the list of all labelled versions and the new one. One export ahead, because a
    server sees a new version before it reads the file anew. Other models' entries are kept.
    """
    return _models(existing, model_name, base_path, available, pinned=False)[0]


def pin(entry: Any, listed: Sequence[int]) -> str:
    """Makes the policy of `entry` the list of versions `listed`; returns the one before as text, "" if that was a list as well."""
    policy = entry.model_version_policy
    before = "" if policy.WhichOneof("policy_choice") == "specific" else text_format.MessageToString(policy, as_one_line=True) or _DEFAULT_POLICY
    policy.specific.versions[:] = listed
    return before


def drops(policy: Any, entry: Any, available: Sequence[int]) -> bool:
    """Whether a server with `policy` unloads a version that a label of `entry` other than `canary` is at, once a further version comes."""
    held = {version for label, version in entry.version_labels.items() if label != NEWEST_LABEL and version in available}
    return not held <= set(loaded(policy, [*available, max(available, default=0) + 1]))


def _models(existing: str, model_name: str, base_path: str, available: Sequence[int], *, pinned: bool) -> tuple[str, str]:
    """(the text of `models`, the policy that it replaced by a list or ""). `pinned`: the entry's list stands for such a policy.

    There, the new version takes the place of those without a label, and `canary` stays: a server refuses a file in which a label moves to a version
    that the file has it load.
    """
    config, before = parse_models(existing) if existing else model_server_config_pb2.ModelServerConfig(), ""
    entry = next((entry for entry in config.model_config_list.config if entry.name == model_name), None)
    if entry is None:
        entry = config.model_config_list.config.add(name=model_name, model_platform="tensorflow")
        entry.model_version_policy.latest.num_versions = _VERSIONS_LOADED
        entry.version_labels[STABLE_LABEL] = entry.version_labels[NEWEST_LABEL] = available[-1]
    entry.base_path = posixpath.join(base_path, model_name)
    policy, kept = entry.model_version_policy, {version for version in entry.version_labels.values() if version in available}
    if pinned and policy.WhichOneof("policy_choice") == "specific":
        pin(entry, sorted({*kept, available[-1]}))
    elif available[-1] in loaded(policy, available):
        if NEWEST_LABEL in entry.version_labels:
            entry.version_labels[NEWEST_LABEL] = available[-1]
        if policy.WhichOneof("policy_choice") != "specific" and drops(policy, entry, available):
            kept = {version for version in entry.version_labels.values() if version in available}
            before = pin(entry, sorted({*kept, available[-1]}))
    return models_text(config), before


def models_text(config: Any) -> str:
    """The text of a ModelServerConfig. ValueError for what a server would refuse."""
    return _text(config, parse_models)


def loaded(policy: Any, available: Sequence[int]) -> list[int]:
    """The versions that a server with `policy` loads, rising."""
    kind = policy.WhichOneof("policy_choice")
    if kind == "specific":
        return [version for version in available if version in policy.specific.versions]
    if kind == "all":
        return list(available)
    return list(available)[-max(1, policy.latest.num_versions) :]


def parse_batching(text: str) -> Any:
    """BatchingParameters from text. ValueError for what a server would refuse."""
    parameters = _parse(text, protos.message_class("BatchingParameters")())
    sizes = list(parameters.allowed_batch_sizes)
    if sizes:
        check_batch_sizes(sizes)
        if not parameters.HasField("max_batch_size") or parameters.max_batch_size.value != sizes[-1]:
            raise ValueError(f"max_batch_size must equal the last of allowed_batch_sizes {sizes}; received {parameters.max_batch_size.value}.")
    return parameters


def parse_monitoring(text: str) -> Any:
    """MonitoringConfig from text. ValueError for what a server would refuse."""
    config = _parse(text, protos.message_class("MonitoringConfig")())
    if config.prometheus_config.path and not config.prometheus_config.path.startswith("/"):
        raise ValueError(f"The path of prometheus_config must start with '/'; received {config.prometheus_config.path!r}.")
    return config


def parse_tls(text: str) -> Any:
    """SSLConfig from text; its fields hold PEM text, not file names. ValueError for what a server would refuse."""
    config = _parse(text, protos.message_class("SSLConfig")())
    for field in ("server_key", "server_cert"):
        if "-----BEGIN" not in getattr(config, field):
            raise ValueError(f"{field} must hold the PEM text itself, -----BEGIN ...; received {getattr(config, field)[:40]!r}.")
    return config


def parse_models(text: str) -> Any:
    """ModelServerConfig from text. ValueError for what a server would refuse."""
    config = _parse(text, model_server_config_pb2.ModelServerConfig())
    if config.WhichOneof("config") == "custom_model_config":
        raise ValueError("custom_model_config needs a server of one's own; use model_config_list.")
    names = [entry.name for entry in config.model_config_list.config]
    for entry in config.model_config_list.config:
        if not entry.name or names.count(entry.name) > 1:
            raise ValueError(f"Each model needs a name of its own; received {names}.")
        if entry.model_platform != "tensorflow":
            raise ValueError(f'The model {entry.name!r} needs model_platform: "tensorflow"; received {entry.model_platform!r}.')
        if not posixpath.isabs(entry.base_path) and "://" not in entry.base_path:
            raise ValueError(f"The model {entry.name!r} needs an absolute base_path, as the server sees it; received {entry.base_path!r}.")
        for label, version in entry.version_labels.items():
            if not _LABEL.fullmatch(label) or version < 1:
                raise ValueError(f"The model {entry.name!r}: the label {label!r} on version {version}; labels are letters, digits and underscores.")
    return config


_PARSERS: dict[str, Callable[[str], Any]] = {MODELS: parse_models, BATCHING: parse_batching, MONITORING: parse_monitoring, TLS: parse_tls}


def check_existing(output: str) -> None:
    """Checks the configuration files already in `output`, which a publication updates or keeps. ValueError naming the file."""
    for name, parse in _PARSERS.items():
        text = read(output, name)
        try:
            if text:
                parse(text)
        except ValueError as error:
            raise ValueError(f"{os.path.join(output, name)} is not valid, a server would refuse it: {error} Correct it or move it away.") from error
    history(output)


def update(output: str, model_name: str, base_path: str, batch_sizes: Sequence[int], available: Sequence[int]) -> None:
    """Writes the files beside the models for the newest of the versions `available`; what a user changed in them stays."""
    histories = history(output)
    known = histories.get(model_name, {})
    text, before = _models(read(output, MODELS), model_name, base_path, available, pinned=bool(known.get("policy")))
    if before:  # first, so that a crash in between leaves the way back
        write_history(output, histories | {model_name: known | {"policy": before}})
    versions.replace_file(os.path.join(output, MODELS), text)
    versions.replace_file(os.path.join(output, BATCHING), batching(batch_sizes, read(output, BATCHING)))
    if not read(output, MONITORING):
        versions.replace_file(os.path.join(output, MONITORING), monitoring())


def read(output: str, name: str) -> str:
    """The text of a configuration file in `output`, "" if there is none."""
    try:
        with open(os.path.join(output, name), encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def history(output: str) -> dict[str, Any]:
    """{model: what its entry does not say}, nothing if there is no such file. ValueError for a file that is damaged."""
    text = read(output, HISTORY)
    try:
        found = json.loads(text or "{}")
    except ValueError as error:
        raise ValueError(f"{os.path.join(output, HISTORY)} is not valid JSON: {error}. {_FORGET}") from error
    if not isinstance(found, dict) or not all(isinstance(values, dict) for values in found.values()):
        raise ValueError(f"{os.path.join(output, HISTORY)} is not what tfgan-serving writes. {_FORGET}")
    return found


def write_history(output: str, histories: dict[str, Any]) -> None:
    """Keeps what `history` reads."""
    versions.replace_file(os.path.join(output, HISTORY), json.dumps(histories, indent=2, sort_keys=True) + "\n")


def _parse(text: str, config: Any) -> Any:
    try:
        return text_format.Parse(text, config)
    except text_format.ParseError as error:
        raise ValueError(f"{type(config).__name__}: {error}.") from error


def _text(config: Any, parse: Callable[[str], Any]) -> str:
    """The text of a message, parsed back as a server would."""
    text = text_format.MessageToString(config)
    parse(text)
    return text
