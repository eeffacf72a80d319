"""Uses an exported generator as a layer of a Keras model, here one that shows its images four times as large, and writes a row of them to a PNG file.

python tfsm_layer.py --version=served/sngan/1 --images=4 --output=row.png
"""

import argparse

import numpy as np
import tensorflow as tf
from PIL import Image

ENDPOINT = "generate_default"
"""The signature with one input, which is what `TFSMLayer` takes: latents. Conditions such as a class are drawn from the latents."""
SCALE = 4


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--version", required=True, help="directory of the exported version, <export>/<model>/<number>")
    parser.add_argument("--output", required=True, help="the PNG file to write")
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="equal seeds give equal images")
    arguments = parser.parse_args()
    model = enlarged(arguments.version)
    latents = tf.random.stateless_normal([arguments.images, model.input_shape[1]], [arguments.seed, 0])
    row = np.concatenate(list(model.predict(latents, verbose=0)), axis=1)
    Image.fromarray(row.astype(np.uint8).squeeze()).save(arguments.output)
    print(arguments.output)


def enlarged(version):
    """latents [b, z] -> grey levels [b, 4 h, 4 w, c], 0 to 255: the generator, frozen, with layers of this app behind it."""
    _, inputs = tf.saved_model.load(version).signatures[ENDPOINT].structured_input_signature
    latents = tf.keras.Input(inputs["latents"].shape[1:], name="latents")
    images = tf.keras.layers.TFSMLayer(version, call_endpoint=ENDPOINT, trainable=False)(latents)["images"]  # in [-1, 1]
    levels = tf.keras.layers.Rescaling(127.5, offset=128.0)(images)
    return tf.keras.Model(latents, tf.keras.layers.UpSampling2D(SCALE)(tf.keras.layers.ReLU(max_value=255.0)(levels)))


if __name__ == "__main__":
    main()
