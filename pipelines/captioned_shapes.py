"""The built-in dataset as a TFDS builder: drawn on this machine in seconds, without a network.

Four configs: `studio` (one large object in the middle of a smooth floor) and `scenes` (two sizes, five positions, three kinds of floor) at 32
pixels, `studio_64` and `scenes_64`, the same pictures, at 64. In `scenes` 40 combinations of shape, color, size and position occur in the test split
only: those with size = color mod 2 and position = (shape + 2 color) mod 5.
"""

import collections
import dataclasses
import os
from collections.abc import Iterable, Iterator
from concurrent import futures
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from pipelines import captions, png, shape_scenes, shapes

SHAPES = shape_scenes.SHAPES
COLORS = shape_scenes.COLORS
SIZES = shape_scenes.SIZES
POSITIONS = shape_scenes.POSITIONS
CLASS_NAMES = tuple(f"{color} {shape}" for shape in SHAPES for color in COLORS)
"""The 40 classes of `label`, shape * 8 + color."""
CLASS_GROUPS = {"shape": tuple(shape for shape in SHAPES for _ in COLORS), "color": tuple(COLORS) * len(SHAPES)}
"""Coarser readings of the label, one value per class."""
held_out = shape_scenes.held_out

_BLOCK_PIXELS = 128 * 1024  # Drawn together: few enough that the planes stay in a core's cache.


@dataclasses.dataclass(eq=False)
class ShapesConfig(tfds.core.BuilderConfig):
    """One version of the dataset."""

    kind: str = "studio"
    """A name in `shape_scenes.KINDS`."""
    image_size: int = 32
    """Height and width in pixels."""
    train_examples: int = 20_000
    test_examples: int = 4_000


def _configs() -> list[ShapesConfig]:
    contents = {"studio": "One large object in the middle of a smooth floor", "scenes": "Two sizes, five positions, three kinds of floor"}
    names = {"studio": ("studio", 32), "studio_64": ("studio", 64), "scenes": ("scenes", 32), "scenes_64": ("scenes", 64)}
    return [
        ShapesConfig(name=name, kind=kind, image_size=size, description=f"{contents[kind]}, {size} x {size} pixels.")
        for name, (kind, size) in names.items()
    ]


class CaptionedShapes(tfds.core.GeneratorBasedBuilder):
    """Shaded solids with class, attributes, captions, normals and mask; an example is a pure function of config, split and index."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}
    BUILDER_CONFIGS = _configs()

    def _info(self) -> tfds.core.DatasetInfo:
        size = self.builder_config.image_size
        features = {
            "image": tfds.features.Image(shape=(size, size, 3), encoding_format="png"),
            "label": tfds.features.ClassLabel(names=CLASS_NAMES),
            "shape": tfds.features.ClassLabel(names=SHAPES),
            "color": tfds.features.ClassLabel(names=tuple(COLORS)),
            "size": tfds.features.ClassLabel(names=SIZES),
            "position": tfds.features.ClassLabel(names=POSITIONS),
            "attributes": tfds.features.Tensor(shape=(len(SHAPES) + len(COLORS) + len(SIZES) + len(POSITIONS),), dtype=np.float32),
            "captions": tfds.features.Sequence(tfds.features.Text(), length=captions.COUNT),
            "normal": tfds.features.Image(shape=(size, size, 3), encoding_format="png"),
            "mask": tfds.features.Image(shape=(size, size, 1), encoding_format="png"),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=__doc__,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            disable_shuffling=True,  # Examples lie in the order of their index; classes alternate, so any run of them is balanced.
        )

    def _split_generators(self, dl_manager):
        del dl_manager  # Nothing is downloaded.
        return {split: self._generate_examples(split) for split in shape_scenes.SPLITS}

    def _generate_examples(self, split: str):
        config = self.builder_config
        count = {"train": config.train_examples, "test": config.test_examples}[split]
        step = max(1, _BLOCK_PIXELS // config.image_size**2)
        blocks = (np.arange(start, min(start + step, count)) for start in range(0, count, step))
        drawn = _drawn_ahead(lambda indices: examples(config.kind, split, config.image_size, indices), blocks)
        return enumerate(example for block in drawn for example in block)


def _drawn_ahead(draw, blocks: Iterable[np.ndarray]) -> Iterator[Iterable[dict[str, Any]]]:
    """`draw` of each block, in order, computed by a few threads while the results before it are being stored.

    Threads are enough, since numpy and zlib work without the interpreter's lock; and unlike processes they start in any program.
    """
    workers = min(4, os.cpu_count() or 1)
    with futures.ThreadPoolExecutor(workers) as pool:
        pending = collections.deque()
        for block in blocks:
            pending.append(pool.submit(draw, block))
            if len(pending) > workers:
                yield pending.popleft().result()
        for future in pending:
            yield future.result()


def examples(kind: str, split: str, size: int, indices: np.ndarray) -> Iterator[dict[str, Any]]:
    """The examples `indices` int [b] at `size` pixels, ready to be stored: images are PNG files, classes are numbers."""
    facts = shape_scenes.labels(kind, split, indices)
    drawn = shapes.render(shape_scenes.scenes(kind, split, indices), size)
    columns = {key: png.encode(images) for key, images in drawn.items()}
    columns |= {key: getattr(facts, key).tolist() for key in ("label", "shape", "color", "size", "position")}
    columns |= {"attributes": list(facts.attributes), "captions": captions.describe(kind, split, indices)}
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def prepare(data_dir: str, config: str) -> str:
    """Makes sure that `captioned_shapes/<config>` lies under `data_dir`, drawing it if it is not there, and returns its directory.

    The directory appears under its name only when it is complete. Several processes may prepare at once: the first to finish is kept.
    Raises ValueError for a config that does not exist.
    """
    names = [known.name for known in CaptionedShapes.BUILDER_CONFIGS]
    if config not in names:
        raise ValueError(f"captioned_shapes has no config {config!r}. Its configs: {', '.join(names)}.")
    builder = CaptionedShapes(config=config, data_dir=os.path.expanduser(data_dir))
    try:
        builder.download_and_prepare()
    except OSError:
        if not builder.is_prepared():  # Otherwise another process was faster, and its directory is the same.
            raise
    return str(builder.data_path)
