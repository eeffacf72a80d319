import json
import math

import analysed
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_suite.analysis import truncation


def test_each_threshold_is_judged_on_latents_within_it_and_says_so_on_its_record(tmp_path):
    subject = analysed.run(tmp_path)
    largest = []
    sample_latents = subject.model.sample_latents

    def noted(stream, count, threshold=math.inf):
        latents = sample_latents(stream, count, threshold)
        tf.py_function(lambda z: largest.append(float(np.abs(z).max())), [latents], [])
        return latents

    subject.model.sample_latents = noted
    found = truncation.sweep(subject, analysed.options(truncations=(1.0, 0.25)))
    assert list(found) == [0.25, 1.0, math.inf]
    assert max(largest[:2]) <= 0.25 < max(largest[2:4]) <= 1.0 < max(largest[4:])
    assert [scores["precision"].protocol.truncation for scores in found.values()] == [0.25, 1.0, 0.0]
    assert set(found[1.0]) == {"fid_proxy", "precision", "recall", "density", "coverage"}


def test_features_of_the_published_network_are_also_scored_by_it(tmp_path):
    found = truncation.sweep(analysed.run(tmp_path, standard=True), analysed.options(truncations=(1.0,)))
    assert {"fid", "is", "precision"} <= set(found[math.inf])
    assert truncation.plot(found).startswith(b"\x89PNG")


def test_it_writes_scores_and_a_figure(tmp_path):
    numbers, figure = truncation.run(analysed.run(tmp_path), analysed.options(truncations=(0.5,)), str(tmp_path / "out"))
    records = json.load(open(numbers))
    assert [record["truncation"] for record in records] == [0.5, None]
    assert records[0]["fid_proxy"]["protocol"]["num_fake"] == 16
    assert Image.open(figure).size[0] == 1000


def test_a_threshold_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="magnitudes above 0. Received: 0.0"):
        truncation.sweep(analysed.run(tmp_path), analysed.options(truncations=(0.0,)))
