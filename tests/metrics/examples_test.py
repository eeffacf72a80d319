import bar_data
import numpy as np
import pytest

from tfgan_suite.metrics import examples


def labels(batches):
    return np.concatenate([batch["label"] for batch in batches])


def test_without_a_limit_every_example_comes_in_stored_order():
    data = bar_data.Bars(size=1200)
    batches = list(examples.of(data, "train"))
    assert [len(b["image"]) for b in batches] == [500, 500, 200]
    np.testing.assert_array_equal(labels(batches), np.arange(1200) % 4)


def test_a_limit_draws_from_the_whole_split_and_always_the_same():
    data = bar_data.Bars(size=1200)
    first, second = (np.concatenate([b["image"] for b in examples.of(data, "train", 100)]) for _ in range(2))
    assert len(first) == 100
    np.testing.assert_array_equal(first, second)
    counts = np.bincount(labels(examples.of(data, "train", 100)), minlength=4)
    assert counts.min() > 10  # a fixed stride of 12 would see one class


def test_a_limit_beyond_the_split_gives_the_split():
    assert len(labels(examples.of(bar_data.Bars(test_size=64), "test", 1000))) == 64


def test_a_huge_split_is_read_in_part():
    data = bar_data.Bars(size=2000)
    asked = []
    read = data.examples
    data.examples = lambda split, *, batch_size, limit=-1: asked.append(limit) or read(split, batch_size=batch_size, limit=limit)
    assert len(labels(examples.of(data, "train", 20))) == 20
    assert asked == [200]


def test_a_missing_split_is_refused():
    with pytest.raises(ValueError, match="'bars' has no split 'test'"):
        list(examples.of(bar_data.Bars(test_size=0), "test"))


def test_examples_of_labelled_data_without_their_labels_are_refused():
    data = bar_data.Bars()
    read = data.examples
    data.examples = lambda split, **keywords: ({"image": batch["image"]} for batch in read(split, **keywords))
    with pytest.raises(ValueError, match="'bars' has labels.*with the key 'label'"):
        list(examples.of(data, "train"))
