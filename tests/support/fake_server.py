"""What the fake servers have in common: one model, `toy`, whose image is 2 x 3 x 3 and says in its values what it was made of, so that no two
rows look alike; and how a test tells a server to answer otherwise."""

import collections
import io
import threading
import time

import numpy as np
from PIL import Image

ROW, SEED = {"truncation": ("DT_FLOAT", [-1]), "label": ("DT_INT64", [-1])}, {"seed": ("DT_INT64", [-1])}
BETWEEN = SEED | {"other_seed": ("DT_INT64", [-1]), "position": ("DT_FLOAT", [-1])}
FILES, PIXELS = {"image_bytes": ("DT_STRING", [-1])}, {"images": ("DT_UINT8", [-1, 2, 3, 3])}
FLOATS = {"images": ("DT_FLOAT", [-1, 2, 3, 3]), "latents": ("DT_FLOAT", [-1, 4])}
SIGNATURES = {
    "__saved_model_init_op": ({}, {"__saved_model_init_op": ("DT_INVALID", None)}),
    "sample": (SEED | ROW, FLOATS),
    "sample_png": (SEED | ROW, FILES),
    "sample_uint8": (SEED | ROW, PIXELS),
    "interpolate": (BETWEEN | ROW, FLOATS),
    "interpolate_png": (BETWEEN | ROW, FILES),
    "interpolate_uint8": (BETWEEN | ROW, PIXELS),
    "read": ({"words": ("DT_STRING", [-1, 2])}, {"tokens": ("DT_INT64", [-1, 2]), "word_bytes": ("DT_STRING", [-1, 2])}),
    "draw": ({"codes": ("DT_FLOAT", [-1, 2])}, {"images": ("DT_FLOAT", [-1, 1, 2, 1])}),
    "big": ({"seed": ("DT_INT64", [-1])}, {"images": ("DT_FLOAT", [-1, 512, 1024, 3])}),
}
"""{name: (inputs, outputs)}, each {name: (type, shape)}."""


def pixels(seed, truncation=np.inf, label=0, position=0.0):
    """uint8 [2, 3, 3]: what the row was made of, in its corners."""
    image = np.zeros([2, 3, 3], np.uint8)
    image[0, 0] = seed % 256, seed // 256 % 256, label
    image[1, 2] = 255 if np.isinf(truncation) else round(100 * float(truncation)), round(100 * float(position)), 7
    return image


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


def answer(signature, inputs):
    """{output: array} by NumPy alone."""
    if signature == "read":
        return {"tokens": np.vectorize(len)(inputs["words"]).astype(np.int64), "word_bytes": inputs["words"]}
    if signature == "draw":
        return {"images": inputs["codes"].reshape([-1, 1, 2, 1])}
    if signature == "big":
        return {"images": np.broadcast_to(inputs["seed"].astype(np.float32)[:, None, None, None], [len(inputs["seed"]), 512, 1024, 3])}
    drawn = {"seed": inputs["seed"], "truncation": inputs["truncation"], "label": inputs["label"]}
    if "position" in inputs:
        drawn["position"] = inputs["position"]
    images = np.stack([pixels(**dict(zip(drawn, row, strict=True))) for row in zip(*drawn.values(), strict=True)])
    if signature.endswith("_png"):
        return {"image_bytes": np.array([png(image) for image in images], dtype=object)}
    if signature.endswith("_uint8"):
        return {"images": images}
    return {"images": images.astype(np.float32) / 127.5 - 1.0, "latents": np.zeros([len(images), 4], np.float32)}


class Fake:
    """What the fakes share.

    `calls`: [(signature, {input: array})] as received; `targets`: the models and versions that were named; `asked`: how often, by kind.
    `signatures`, `states`, `alter` (of outputs): what to answer in place of the truth.
    """

    def __init__(self):
        self.calls, self.targets, self.asked = [], [], collections.Counter()
        self.failures = collections.deque()
        self.signatures = dict(SIGNATURES)
        self.alter = lambda outputs: outputs
        self.states = [(3, "AVAILABLE", "OK", ""), (2, "END", "INTERNAL", "no such file")]
        self._lock = threading.Lock()

    def fail(self, code, text="", seconds=0.0, times=1):
        """The next `times` questions of any kind wait so long, then fail so; without a code they only wait."""
        self.failures.extend([(code, text, seconds)] * times)

    def next_failure(self, kind):
        with self._lock:
            self.asked[kind] += 1
            code, text, seconds = self.failures.popleft() if self.failures else ("", "", 0.0)
        time.sleep(seconds)
        return code, text

    def predict(self, signature, inputs):
        with self._lock:
            self.calls.append((signature, inputs))
        return self.alter(answer(signature, inputs))
