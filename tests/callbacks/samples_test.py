import os

import numpy as np
import pytest
import tensorflow as tf
import tiny
from PIL import Image

from tfgan_suite.callbacks import samples
from tfgan_suite.core import gan, sampling


@pytest.fixture(scope="module")
def model():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gan, "STATISTICS_BATCHES", 2)  # enough to see whether they were collected
        yield tiny.build()


def run(model, folder, steps, *, every=2, writer=None):
    callback = samples.Samples(str(folder), every, 2, 0, writer)
    callback.set_model(model)
    callback.on_train_begin()
    for step in steps:
        model.generator.variables[0].assign_add(0.1 * tf.ones_like(model.generator.variables[0]))
        model.averaged_generator.variables[0].assign(model.generator.variables[0])
        callback.on_train_batch_end(step - 1, {})
    callback.on_train_end()


def test_a_grid_every_so_often_and_their_animation_at_the_end(model, tmp_path):
    run(model, tmp_path / "samples", range(1, 7))
    folder = tmp_path / "samples"
    assert sorted(os.listdir(folder)) == ["evolution.gif", "step-00000002.png", "step-00000004.png", "step-00000006.png"]
    grids = [Image.open(folder / f"step-{step:08d}.png") for step in (2, 4, 6)]
    assert {grid.size for grid in grids} == {(8 * (3 * 10 + 2), 8 * (2 * 10 + 2))}  # two rows, a column for each of three classes, 8 pixels as 64
    assert len({np.asarray(grid).tobytes() for grid in grids}) == 3
    film = Image.open(folder / "evolution.gif")
    assert (film.n_frames, film.size) == (3, grids[0].size)


def test_what_is_drawn_is_the_averaged_generator_made_ready(model, tmp_path):
    run(model, tmp_path, [1])
    model.sample(tf.zeros([8, 6]), {"label": tf.zeros([8], tf.int32)}, training=True)  # disturbs the statistics
    run(model, tmp_path, [2])
    model.ready()
    np.testing.assert_array_equal(Image.open(tmp_path / "step-00000002.png"), sampling.grid(model, rows=2, seed=0))


def test_the_animation_of_a_resumed_run_begins_where_the_run_did(model, tmp_path):
    run(model, tmp_path, [1, 2])
    assert os.listdir(tmp_path) == ["step-00000002.png"]  # one picture makes no film
    run(model, tmp_path, [3, 4])
    assert Image.open(tmp_path / "evolution.gif").n_frames == 2


def test_a_period_of_zero_draws_nothing(model, tmp_path):
    run(model, tmp_path / "samples", [1, 2], every=0)
    assert not (tmp_path / "samples").exists()


def test_the_grid_is_shown_in_tensorboard_too(model, tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path / "logs"))
    run(model, tmp_path / "samples", [1, 2], writer=writer)
    writer.flush()
    [name] = os.listdir(tmp_path / "logs")
    events = tf.compat.v1.train.summary_iterator(str(tmp_path / "logs" / name))
    [(step, encoded)] = [(e.step, tf.make_ndarray(v.tensor)[2]) for e in events for v in e.summary.value if v.tag == "samples"]
    assert step == 2
    np.testing.assert_array_equal(tf.io.decode_png(encoded), Image.open(tmp_path / "samples" / "step-00000002.png"))
