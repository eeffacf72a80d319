import dataclasses

import bar_data
import numpy as np
import pytest

from pipelines import spec
from tfgan_suite.metrics import embedded, evaluation, features, reference

DIGITS = ("0", "1", "2")


class Stacks:
    """Three bars as channels, each lying high (0), lying low (1) or standing (2): 27 classes, as `examples.Data`."""

    fingerprint = "stacks"

    def __init__(self, size=600):
        image = spec.Feature(shape=(16, 16, 3), dtype="float32", low=-1.0, high=1.0)
        triples = [(a, b, c) for a in DIGITS for b in DIGITS for c in DIGITS]
        groups = {channel: tuple(t[i] for t in triples) for i, channel in enumerate(("red", "green", "blue"))}
        names = tuple(map("".join, triples))
        self.spec = spec.DataSpec(
            name="stacks", features={"image": image}, num_classes=27, class_names=names, class_groups=groups, size=size, test_size=90
        )

    def draw(self, digits, seed=0):
        """Images that show `digits` [n, 3]."""
        random = np.random.RandomState(seed)
        images = random.uniform(-1.0, -0.8, (len(digits), 16, 16, 3)).astype(np.float32)
        for image, row in zip(images, digits, strict=True):
            for channel, digit in enumerate(row):
                at = random.randint(3)
                where = [(slice(at, at + 3), slice(2, 14)), (slice(at + 10, at + 13), slice(2, 14)), (slice(2, 14), slice(at + 6, at + 9))][digit]
                image[(*where, channel)] = 0.9
        return {"image": images, "label": (digits @ [9, 3, 1]).astype(np.int32)}

    def examples(self, split, *, batch_size, limit=-1):
        count = self.spec.size if split == "train" else self.spec.test_size
        yield self.draw(np.random.RandomState(len(split)).randint(3, size=(count if limit < 0 else min(limit, count), 3)), seed=len(split))


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    return features.load("channels", cache_dir=tmp_path_factory.mktemp("cache"), data=Stacks())


def test_the_joint_class_is_the_number_whose_digits_the_channels_show(judge):
    digits = np.array([[0, 1, 2], [2, 2, 0], [1, 0, 0], [2, 1, 1]])
    found = judge(Stacks().draw(digits, seed=8)["image"])
    assert found["probabilities"].argmax(1).tolist() == [0 * 9 + 1 * 3 + 2, 24, 9, 22]
    assert found["probabilities"].shape == (4, 27) and found["features"].shape == (4, 3 * 96)
    np.testing.assert_allclose(found["probabilities"].sum(1), 1.0)


def test_it_knows_how_well_it_reads_each_channel_and_all_together(judge):
    assert judge.accuracy.keys() == {"accuracy", "accuracy_red", "accuracy_green", "accuracy_blue"}
    assert min(judge.accuracy.values()) > 0.95
    assert (judge.classes, judge.name) == ("labels", "channels")


def test_joint_probabilities_are_the_products_of_the_channels(judge):
    image = np.random.RandomState(3).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    joint = judge(image)["probabilities"]
    single = [judge._single(image[..., c : c + 1])["probabilities"] for c in range(3)]
    expected = np.einsum("na,nb,nc->nabc", *single).reshape(2, 27)
    np.testing.assert_allclose(joint, expected, rtol=1e-4, atol=1e-7)


def test_a_generator_stuck_on_three_numbers_covers_three_classes(judge, tmp_path):
    data = Stacks()
    real = reference.build(judge, data, cache_dir=tmp_path, split="test")
    judged = evaluation.Evaluator(extractor=judge, reference=real, metrics=("class_modes", "mode_score"))
    stuck = data.draw(np.array([[0, 0, 0], [1, 1, 1], [2, 0, 1]])[np.arange(90) % 3], seed=4)
    found = judged.run([{"image": stuck["image"]}])
    assert found["class_modes"].value == 3.0
    assert found["class_modes"].details["missing"] == [c for c in range(27) if c not in (0, 13, 19)]
    assert found["class_reverse_kl"].value == pytest.approx(np.log(27 / 3), abs=1e-9)
    assert found["mode_score"].value < found["mode_score_che"].value == pytest.approx(3.0, rel=0.1)


def test_the_same_judge_comes_from_the_cache(judge, tmp_path, monkeypatch):
    first = features.load("channels", cache_dir=tmp_path, data=Stacks(size=64))
    monkeypatch.setattr(embedded.Embedded, "train", lambda self, data: pytest.fail("trained again"))
    assert features.load("channels", cache_dir=tmp_path, data=Stacks(size=64)).fingerprint == first.fingerprint


def test_data_whose_class_is_not_a_digit_per_channel_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'bars' has 3 channels and 4 classes in the groups pose, color"):
        features.load("channels", cache_dir=tmp_path, data=bar_data.Bars())
    data = Stacks()
    data.spec = dataclasses.replace(data.spec, class_groups={})
    with pytest.raises(ValueError, match=r"in the groups \(none\)"):
        features.load("channels", cache_dir=tmp_path, data=data)
