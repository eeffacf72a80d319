"""A published version in a session, which is how a model server runs it."""

import logging
from typing import Any

import tensorflow as tf


def load(session: tf.compat.v1.Session, directory: str) -> Any:
    """Restores the version in `directory` into `session`, whose graph must be the default one; returns its MetaGraphDef.

    Raises what TensorFlow raises for a directory that it cannot load. Nothing but TensorFlow's deprecated loader restores into a session, as
    TensorFlow Serving does; its advice to use `tf.saved_model.load` is not passed on.
    """
    logger = tf.get_logger()
    logger.addFilter(_is_news)
    try:
        return tf.compat.v1.saved_model.load(session, ["serve"], directory)
    finally:
        logger.removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return "is deprecated" not in record.getMessage()
