"""Messages of TensorFlow Serving that its Python package leaves out, declared again so that configuration files can be parsed strictly.

Field numbers and types: tensorflow_serving/servables/tensorflow/session_bundle_config.proto, config/monitoring_config.proto and
config/ssl_config.proto of version 2.20.
"""

import functools
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

_INT64 = "google.protobuf.Int64Value"
_FIELDS = {
    "BatchingParameters": {
        "max_batch_size": (1, _INT64),
        "batch_timeout_micros": (2, _INT64),
        "max_enqueued_batches": (3, _INT64),
        "num_batch_threads": (4, _INT64),
        "thread_pool_name": (5, "google.protobuf.StringValue"),
        "allowed_batch_sizes": (6, "repeated int64"),
        "pad_variable_length_inputs": (7, "bool"),
        "enable_large_batch_splitting": (8, "google.protobuf.BoolValue"),
        "max_execution_batch_size": (9, _INT64),
    },
    "PrometheusConfig": {"enable": (1, "bool"), "path": (2, "string")},
    "MonitoringConfig": {"prometheus_config": (1, "tensorflow.serving.PrometheusConfig")},
    "SSLConfig": {"server_key": (1, "string"), "server_cert": (2, "string"), "custom_ca": (3, "string"), "client_verify": (4, "bool")},
}
_SCALARS = {
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
}


@functools.cache
def message_class(name: str) -> Any:
    """The message class `name`: BatchingParameters, MonitoringConfig or SSLConfig."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"tensorflow.serving.{name}"))


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    """A pool of our own: the default one may get the same names from another package."""
    file = descriptor_pb2.FileDescriptorProto(
        name="tfgan_suite/serving_config.proto", package="tensorflow.serving", syntax="proto3", dependency=["google/protobuf/wrappers.proto"]
    )
    for name, fields in _FIELDS.items():
        declared = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _declare(declared, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _declare(declared: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    repeated, _, scalar = kind.rpartition(" ")
    label = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED if repeated else descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    field = declared.field.add(name=name, number=number, label=label)
    if scalar in _SCALARS:
        field.type = _SCALARS[scalar]
    else:
        field.type, field.type_name = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE, f".{kind}"
