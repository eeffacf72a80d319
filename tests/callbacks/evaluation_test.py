import json
import os

import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite import experiment
from tfgan_suite.callbacks import evaluation
from tfgan_suite.core import checkpoint, gan, sampling
from tfgan_suite.metrics import protocol


class Judge:
    """Stands for an evaluator: gives the scores it was told to, and remembers what it saw."""

    def __init__(self, *values, name="fid"):
        self.values, self.name, self.seen, self.held_out = list(values), name, [], {}

    def check_classifier(self, classify):
        assert classify is None

    def run(self, batches, *, step, classify):
        images = [batch["image"] for batch in batches]
        self.seen.append((step, np.concatenate(images)))
        return {self.name: protocol.Score(value=self.values[len(self.seen) - 1], protocol=protocol.Protocol(metric=self.name))}


@pytest.fixture(scope="module")
def model():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gan, "STATISTICS_BATCHES", 2)  # enough to see whether they were collected
        yield tiny.build()


def config(best="", **changes):
    return experiment.Experiment(
        variant="sngan",
        model=None,
        evaluation=experiment.Evaluation(**({"every_steps": 2, "samples": 6, "batch_size": 4} | changes)),
        checkpointing=experiment.Checkpointing(best=best),
    )


def run(model, folder, judge, steps, *, settings=None, history=None):
    history = [] if history is None else history
    saved = checkpoint.Checkpoints(str(folder / "checkpoints"), model, keep=1)
    writer = tf.summary.create_file_writer(str(folder / "logs"))
    callback = evaluation.Evaluate(judge, settings or config(), saved, history, str(folder / "metrics.jsonl"), writer)
    callback.set_model(model)
    callback.on_train_begin()
    for step in steps:
        model.step.assign(step)
        callback.on_train_batch_end(step - 1, {})
    callback.on_train_end()
    writer.flush()
    return saved, history


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_it_judges_the_configured_number_of_samples_every_so_often(model, tmp_path):
    judge = Judge(9.0, 8.0)
    run(model, tmp_path, judge, range(1, 6))
    assert [(step, images.shape) for step, images in judge.seen] == [(2, (6, 8, 8, 3)), (4, (6, 8, 8, 3))]
    np.testing.assert_array_equal(judge.seen[0][1], judge.seen[1][1])  # equal weights, equal latents


def test_what_is_judged_is_the_averaged_generator_made_ready(model, tmp_path):
    judge = Judge(9.0)
    model.sample(tf.zeros([8, 6]), {"label": tf.zeros([8], tf.int32)}, training=True)  # disturbs the statistics
    run(model, tmp_path, judge, [2])
    model.ready()
    drawn = sampling.samples(model, 6, batch_size=4, seed=0)
    np.testing.assert_array_equal(judge.seen[0][1], np.concatenate([batch["image"] for batch in drawn]))


def test_results_go_to_the_history_the_json_lines_and_tensorboard(model, tmp_path):
    _, history = run(model, tmp_path, Judge(9.0, 8.0), range(1, 5))
    assert [(record["step"], record["fid"]["value"], record["fid"]["protocol"]["metric"]) for record in history] == [(2, 9.0, "fid"), (4, 8.0, "fid")]
    assert lines(tmp_path) == history
    [name] = os.listdir(tmp_path / "logs")
    events = tf.compat.v1.train.summary_iterator(str(tmp_path / "logs" / name))
    assert [(e.step, v.tag, float(tf.make_ndarray(v.tensor))) for e in events for v in e.summary.value] == [
        (2, "metrics/fid", 9.0),
        (4, "metrics/fid", 8.0),
    ]


def test_a_resumed_run_rewrites_the_file_from_the_history_it_was_restored_with(model, tmp_path):
    run(model, tmp_path, Judge(9.0, 8.0, 7.0), range(1, 7))
    history = lines(tmp_path)[:1]  # the checkpoint was of step 2
    run(model, tmp_path, Judge(5.0), [3, 4], history=history)
    assert [(record["step"], record["fid"]["value"]) for record in lines(tmp_path)] == [(2, 9.0), (4, 5.0)]


def test_the_file_is_right_before_the_first_result(model, tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 8}\n{"step": 1')
    run(model, tmp_path, Judge(), [], history=[{"step": 8}])
    assert lines(tmp_path) == [{"step": 8}]


@pytest.mark.parametrize(
    "name, values, best", [("fid", (9.0, 3.0, 7.0), 4), ("kid", (1.0, 3.0, 7.0), 2), ("precision", (0.1, 0.3, 0.7), 6), ("is", (5.0, 5.0, 4.0), 2)]
)
def test_the_best_is_the_lowest_distance_or_the_highest_score_and_of_equals_the_first(model, tmp_path, name, values, best):
    saved, _ = run(model, tmp_path, Judge(*values, name=name), range(1, 7), settings=config(best=name))
    assert saved.best() == str(tmp_path / "checkpoints" / "best" / f"ckpt-{best}")


def test_a_resumed_run_compares_with_the_results_before(model, tmp_path):
    history = [{"step": 2, "fid": {"value": 1.0}}]
    saved, _ = run(model, tmp_path, Judge(2.0), [3, 4], settings=config(best="fid"), history=history)
    assert saved.best() == ""


def test_no_best_is_kept_unless_asked_for(model, tmp_path):
    assert run(model, tmp_path, Judge(9.0), [1, 2])[0].best() == ""


def test_a_best_that_is_not_measured_is_refused_with_the_results_to_choose_from(model, tmp_path):
    with pytest.raises(ValueError, match=r"checkpointing.best='kid' is not among the results of the evaluation. Choose one of: fid\."):
        run(model, tmp_path, Judge(9.0), [1, 2], settings=config(best="kid"))
