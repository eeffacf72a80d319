"""A small conditional generator of the tests' own, and one published version of it that no test changes."""

import os
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from export import saved_model
from tfgan_suite.core import endpoint
from tfgan_suite.ops import random

LATENT_SIZE, CLASSES = 8, 5


def generator(channels: int = 3) -> keras.Model:
    """latents [b, 8], label [b] -> image [b, 8, 8, c], with batch normalisation whose statistics are not the initial ones."""
    latents, label = keras.Input([LATENT_SIZE], name="latents"), keras.Input([], dtype="int32", name="label")
    x = keras.layers.Concatenate()([latents, keras.layers.Embedding(CLASSES, 4)(label)])
    x = keras.layers.Reshape([4, 4, 16])(keras.layers.Dense(256)(x))
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Dropout(0.5)(keras.layers.Conv2DTranspose(channels, 4, strides=2, padding="same")(x))
    model = keras.Model({"latents": latents, "label": label}, {"image": keras.layers.Activation("tanh", dtype="float32")(x)})
    draws = np.random.default_rng(0)
    for variable in model.weights:
        noise = draws.normal(0.0, 0.3, variable.shape)
        variable.assign(np.abs(noise) + 0.5 if "variance" in variable.path else noise)
    return model


def endpoints(model: keras.Model) -> tuple[endpoint.Endpoint, endpoint.Endpoint]:
    """The endpoints that a conditional GAN offers."""

    def generate(latents, label):
        allowed = tf.debugging.Assert(tf.reduce_all((label >= 0) & (label < CLASSES)), ["no such class", label])
        with tf.control_dependencies([allowed] if allowed is not None else []):
            return model({"latents": latents, "label": tf.cast(label, tf.int32)}, training=False)["image"]

    def serving_default(latents, truncation, label):
        return {"images": generate(tf.clip_by_value(latents, -truncation[:, None], truncation[:, None]), label)}

    def sample(seed, truncation, label):
        def draw(row):
            return random.truncated_normal01([LATENT_SIZE], tf.stack([row[0], tf.constant(0, tf.int64)]), row[1])

        latents = tf.ensure_shape(tf.map_fn(draw, (seed, truncation), fn_output_signature=tf.float32), [None, LATENT_SIZE])
        return {"images": generate(latents, label), "latents": latents}

    def rows(b):
        return {"truncation": np.linspace(0.5, 2.0, b, dtype=np.float32), "label": np.arange(b) % CLASSES}

    def vectors(b):
        return rows(b) | {"latents": np.random.default_rng(1).normal(size=[b, LATENT_SIZE]).astype(np.float32)}

    shared = {"truncation": tf.TensorSpec([None], tf.float32), "label": tf.TensorSpec([None], tf.int64)}
    from_latents = {"latents": tf.TensorSpec([None, LATENT_SIZE], tf.float32)} | shared
    from_seed = {"seed": tf.TensorSpec([None], tf.int64)} | shared
    return (
        endpoint.Endpoint(name="serving_default", function=serving_default, networks=(model,), inputs=from_latents, examples=vectors),
        endpoint.Endpoint(
            name="sample",
            function=sample,
            networks=(model,),
            inputs=from_seed,
            encodings=("png", "jpeg", "uint8"),
            examples=lambda b: rows(b) | {"seed": np.arange(b) * 7 - 3},
        ),
    )


def reader(vocabulary: str) -> endpoint.Endpoint:
    """An endpoint on strings, with a lookup table whose words come from the file `vocabulary`."""
    whole_line, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    table = tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(vocabulary, tf.string, whole_line, tf.int64, number), 1)
    words = np.array([b"red", b"square", "\u00e9t\u00e9".encode(), b"", b"blue"], dtype=object)
    return endpoint.Endpoint(
        name="read",
        networks=(table,),
        function=lambda words: {"tokens": table.lookup(words), "word_bytes": words},
        inputs={"words": tf.TensorSpec([None, 2], tf.string)},
        examples=lambda b: {"words": words[np.arange(2 * b).reshape(b, 2) % 5]},
    )


@pytest.fixture(scope="session")
def toy():
    """What makes models and endpoints: `.generator(channels)`, `.endpoints(model)`, and the numbers of latents and classes."""
    return types.SimpleNamespace(generator=generator, endpoints=endpoints, latent_size=LATENT_SIZE, classes=CLASSES)


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """`.directory`: version 1, checked, then moved with its whole output; `.output`, `.model` (the generator), `.endpoints`."""
    root = tmp_path_factory.mktemp("published")
    vocabulary = root / "words.txt"
    vocabulary.write_text("red\nsquare\n")
    model = generator()
    offered = (*endpoints(model), reader(str(vocabulary)))
    saved_model.publish(offered, str(root / "first"), "toy", batch_sizes=(1, 4), metadata={"variant": "toy"})
    vocabulary.unlink()
    moved = str(root / "second")
    os.rename(root / "first", moved)
    return types.SimpleNamespace(directory=os.path.join(moved, "toy", "1"), output=moved, model=model, endpoints=offered)
