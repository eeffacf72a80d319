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
    """A TFDS name (`cifar10`, `mnist`), `captioned_shapes/<config>`, `toy:<name>`, `stacked_digits:<source>`, `folder:<dir>`, `idx:<dir>`,
    `tfrecord:<glob>` or `tags:<features>x<numbers>x<words>`."""
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
    labelled_per_class: int = 0
    """Above 0, for semi-supervised learning: every batch holds as many labelled examples beside its `image`, as `labelled_image` and
    `labelled_label`. They are drawn from this many of each class, all of the training split staying unlabelled in `image`."""
    labelled_seed: int = 0
    """Which examples are the labelled ones; with few of them the result depends much on it."""
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
        if self.labelled_per_class < 0 or self.labelled_seed < 0:
            raise ValueError(
                f"data.labelled_per_class and data.labelled_seed must not be negative. Received: {self.labelled_per_class}, {self.labelled_seed}."
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
class Mixture:
    """Round Gaussians of equal weight: what vectors were drawn from, where that is known."""

    centers: tuple[tuple[float, ...], ...]
    """The mean of each mode, in the order of the classes of `label`."""
    deviation: float
    """Standard deviation of every mode along every axis."""

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Mixture":
        return cls(centers=tuple(map(tuple, values["centers"])), deviation=values["deviation"])


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
    mixture: Mixture | None = None
    """The modes of a toy distribution."""
    labelled: tuple[int, ...] = ()
    """Rows of the training split, in stored order and without the unreadable ones, whose labels are used in semi-supervised training."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels of `image`."""
        return self.features["image"].shape

    @property
    def is_vector(self) -> bool:
        """Whether `image` is no picture but a vector of d numbers, [1, d, 1], whose range is the feature's and not [-1, 1]."""
        height, _, channels = self.image_shape
        return height == channels == 1

    def require(self, keys, who: str) -> None:
        """Raises a ValueError that names the dataset, the missing key and the remedy."""
        for key in keys:
            if key not in self.features:
                there = ", ".join(sorted(self.features))
                found = f"{who} trains on the batch key {key!r}, which the dataset {self.name!r} does not have. It has: {there}."
                if key.startswith("labelled_"):
                    raise ValueError(f"{found} Say how many examples are labelled: --experiment.data.labelled_per_class=10.")
                raise ValueError(f"{found} Choose a dataset with {key!r} (--experiment.data.source=...), or a variant that does without it.")

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "DataSpec":
        features = {key: Feature(**(f | {"shape": tuple(f["shape"])})) for key, f in values["features"].items()}
        groups = {key: tuple(g) for key, g in values["class_groups"].items()}
        mixture = Mixture.from_json(values["mixture"]) if values.get("mixture") else None
        tuples = {key: tuple(values.get(key, ())) for key in ("class_names", "labelled")}
        return cls(**(values | tuples | {"features": features, "class_groups": groups, "mixture": mixture}))
