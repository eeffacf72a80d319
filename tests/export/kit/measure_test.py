import os

import numpy as np
import pytest
import tensorflow as tf

from export import signatures
from export.kit import cost, measure


def test_a_published_version_carries_what_it_was_measured_to_cost(published):
    found = cost.read(published.directory)
    assert (found.signature, found.one.rows, found.largest.rows, found.batch_sizes) == ("sample_png", 1, 4, 2)
    assert found.signatures == len(tf.saved_model.load(published.directory).signatures)
    assert found.cores == os.cpu_count() and found.load_seconds > 0.0
    for call in (found.one, found.largest):
        assert 0.0 < call.seconds < 60.0 and call.cpu_seconds > 0.0


def test_the_peak_is_at_least_what_the_outputs_take_and_grows_with_the_rows(published):
    found = cost.read(published.directory)
    image = 8 * 8 * 3 * 4  # float32, before it becomes a file
    assert found.one.peak_bytes >= image and found.largest.peak_bytes >= 4 * image
    assert found.largest.peak_bytes > found.one.peak_bytes


def test_the_peak_is_that_of_tensors_that_live_at_once():
    """x + 1, then a sum: beside the input (the caller's) one tensor of 4 MB lives, whatever the length of the chain."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [1000, 1000], name="x")
        chain = x
        for _ in range(5):
            chain = tf.matmul(chain, chain)
        outputs = {"y": tf.reduce_sum(chain).name}
        peak = measure._peak_bytes(session, outputs, {x.name: np.zeros([1000, 1000], np.float32)})
    assert 4e6 <= peak <= 5 * 4e6 - 1  # of five products, two live at once


@pytest.mark.parametrize("sizes, largest", [((1,), 1), ((2, 3), 3)])
def test_one_row_and_the_largest_batch_are_measured(published, sizes, largest):
    built = signatures.build(published.endpoints[:2])
    found = measure.measure(published.directory, built, sizes)
    assert (found.one.rows, found.largest.rows) == (1, largest)


def test_a_version_without_a_measurement_or_with_a_damaged_one_has_none(tmp_path):
    (tmp_path / "assets.extra").mkdir()
    assert cost.read(str(tmp_path)) is None
    (tmp_path / "assets.extra" / "measured.json").write_text('{"signature": "x"}')
    assert cost.read(str(tmp_path)) is None


def test_the_size_is_that_of_all_files(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "variables" / "b").write_bytes(b"123")
    assert cost.size(str(tmp_path)) == 8
