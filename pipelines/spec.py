"""What a dataset is asked for (`DatasetConfig`) and what it turned out to be (`DataSpec`). A leaf: it imports nothing of ours."""

import dataclasses
import os
from typing import Any


def default_data_dir() -> str:
    """Where datasets are prepared and caches kept unless a command is told otherwise: TFDS's own place."""
    return os.environ.get("TFDS_DATA_DIR") or os.path.expanduser("~/tensorflow_datasets")


@dataclasses.dataclass(kw_only=True)
class DatasetConfig:
    """Which examples to train on, and how they become tensors.

    What the dataset *is* (keys, classes, stored size) is never repeated here: the reader finds it and says it in a `DataSpec`.
    """

    source: str = "captioned_shapes/studio"
    """A TFDS name (`cifar10`, `mnist`), `captioned_shapes/<config>`, `folder:<dir>`, `idx:<dir>`, `tfrecord:<glob>` or
    `tags:<features>x<numbers>x<words>`."""
    split: str = "train"
    """The split that is trained on."""
    test_split: str = "test"
    """The split held out for reference statistics."""
    image_size: tuple[int, int] = (0, 0)
    """Height and width in pixels that training sees; (0, 0) keeps the stored size, which must then be the same for all images."""
    resize: str = "crop"
    """How a stored image becomes `image_size`, a name in `pipelines.readers.RESIZES`: `crop` (largest centred window of the
    wanted aspect, then scale), `stretch` (scale each axis),
    `pad` (scale to fit, black margins), `margin` (no scaling, centred between black margins)."""
    batch_size: int = 64
    """Examples in one minibatch, over all replicas together."""
    augmentations: tuple[Any, ...] = ()
    """Host-side augmentations of the real images in order, configs from `pipelines.augment`."""
    on_error: str = "raise"
    """What a file that is no image does: `raise` names it and stops, `skip` leaves it out and counts it."""
    memory_limit_mb: int = 2048
    """A decoded split up to this many MiB is held in memory and addressed by example; a larger one is streamed."""

    def __post_init__(self):
        if self.batch_size < 1 or self.memory_limit_mb < 0 or min(self.image_size) < 0:
            raise ValueError(
                "data.batch_size must be at least 1; data.memory_limit_mb and data.image_size must not be negative. "
                f"Received: {self.batch_size}, {self.memory_limit_mb}, {self.image_size}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Feature:
    """One key of a batch, without the batch axis."""

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    """The closed range of values (integers: the first and last admissible value)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSpec:
    """What the examples are, after resizing. JSON in a workdir, so that a finished run can be restored without its data."""

    name: str
    features: dict[str, Feature]
    num_classes: int = 0
    """Classes of the key `label`; 0 for a dataset without labels."""
    class_names: tuple[str, ...] = ()
    class_groups: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Coarser readings of the label, one value per class: `{"shape": ("sphere", ...), "color": ("red", ...)}`."""
    size: int
    """Examples in the training split."""
    test_size: int = 0
    """Examples in the held-out split."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels of `image`."""
        return self.features["image"].shape

    def require(self, keys, who: str) -> None:
        """Raises a ValueError that names the dataset, the missing key and the remedy."""
        for key in keys:
            if key not in self.features:
                raise ValueError(
                    f"{who} trains on the batch key {key!r}, which the dataset {self.name!r} does not have. It has: "
                    f"{', '.join(sorted(self.features))}. Choose a dataset with {key!r} (--experiment.data.source=...), or a variant that does "
                    "without it."
                )

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "DataSpec":
        features = {key: Feature(**(f | {"shape": tuple(f["shape"])})) for key, f in values["features"].items()}
        groups = {key: tuple(g) for key, g in values["class_groups"].items()}
        return cls(**(values | {"features": features, "class_names": tuple(values["class_names"]), "class_groups": groups}))
