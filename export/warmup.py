"""Warm-up requests: a server replays them before it lets a new version answer, so that no user waits for the first run."""

import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from google.protobuf import message
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from export import signatures

FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")
_MOST_RECORDS = 1000
"""A server refuses a version with more."""


def write(directory: str, model_name: str, built: Sequence[signatures.Signature], batch_sizes: Sequence[int]) -> None:
    """Writes into the version `directory` a request per endpoint and allowed batch size, and per encoding of its images one of the smallest size,
    which makes the encoding's graph ready; all sizes have run by then. ValueError if those are more than a server takes."""
    requests = [(signature, rows) for signature in built for rows in (batch_sizes[:1] if signature.encoding else batch_sizes)]
    if len(requests) > _MOST_RECORDS:
        raise ValueError(
            f"{len(built)} signatures in {len(batch_sizes)} batch sizes need {len(requests)} warm-up requests, more than the {_MOST_RECORDS} that "
            "a server takes; allow fewer batch sizes."
        )
    with tf.io.TFRecordWriter(os.path.join(directory, FILE)) as writer:
        for signature, rows in requests:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model_name
            request.model_spec.signature_name = signature.name
            for key, value in signature.examples(rows).items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())


def read(directory: str) -> list[tuple[str, dict[str, np.ndarray]]]:
    """The requests in the version `directory`: [(signature, inputs)]. ValueError where the file is missing or a record is no Predict request."""
    path = os.path.join(directory, FILE)
    try:
        records = [_parse(record) for record in tf.data.TFRecordDataset(path).as_numpy_iterator()]
    except (tf.errors.OpError, message.DecodeError) as error:
        raise ValueError(f"{path} cannot be read as warm-up requests: {error}.") from error
    if not 0 < len(records) <= _MOST_RECORDS:
        raise ValueError(f"{path} holds {len(records)} requests; a server takes 1 to {_MOST_RECORDS}.")
    return records


def _parse(record: bytes) -> tuple[str, dict[str, np.ndarray]]:
    log = prediction_log_pb2.PredictionLog.FromString(record)
    if log.WhichOneof("log_type") != "predict_log":
        raise ValueError(f"A warm-up record is a {log.WhichOneof('log_type')}, not a predict_log; the server would refuse the version.")
    request = log.predict_log.request
    return request.model_spec.signature_name, {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
