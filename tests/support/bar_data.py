"""A dataset for tests of judging: a red or green bar, lying or standing, on noise."""

import numpy as np

from pipelines import spec

GROUPS = {"pose": ("lying", "lying", "standing", "standing"), "color": ("red", "green", "red", "green")}


class Bars:
    """As `pipelines.build.Data`: `spec`, `fingerprint`, `examples`. `reads` counts the passes begun."""

    def __init__(self, *, size=256, test_size=64, side=16, channels=3, labels=True, fingerprint="bars"):
        self.spec = spec.DataSpec(
            name="bars",
            features={"image": spec.Feature(shape=(side, side, channels), dtype="float32", low=-1.0, high=1.0)},
            num_classes=4 if labels else 0,
            class_names=tuple(f"{color} {pose}" for pose, color in zip(*GROUPS.values(), strict=True)) if labels else (),
            class_groups=GROUPS if labels else {},
            size=size,
            test_size=test_size,
        )
        self.fingerprint = fingerprint
        self.reads = 0

    def draw(self, count, seed):
        """{"image", "label"} of `count` images, classes in turn."""
        generator = np.random.RandomState(seed)
        side, channels = self.spec.image_shape[0], self.spec.image_shape[2]
        images = generator.uniform(-1.0, -0.6, (count, side, side, channels)).astype(np.float32)
        labels = np.arange(count) % 4
        for image, label in zip(images, labels, strict=True):
            offset = generator.randint(1, side // 2)
            bar = image[offset : offset + side // 4] if label < 2 else image[:, offset : offset + side // 4]
            bar[..., min(label % 2, channels - 1)] += 1.5 if channels > 1 else 1.0 + 0.4 * (label % 2)
        return {"image": images, "label": labels.astype(np.int32)}

    def examples(self, split, *, batch_size, limit=-1):
        self.reads += 1
        count = {"train": self.spec.size, "test": self.spec.test_size}[split]
        data = self.draw(count, seed=("train", "test").index(split))
        if not self.spec.num_classes:
            del data["label"]
        count = count if limit < 0 else min(count, limit)
        for start in range(0, count, batch_size):
            yield {key: value[start : min(start + batch_size, count)] for key, value in data.items()}
