import bar_data
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.metrics import catalog, evaluation, extractor, frechet, protocol, reference


class Reader(extractor.Extractor):
    """Reads the bars without learning: features are a few means, the class is exact for real images."""

    name, fingerprint, resizer = "reader", "f00d", "half_pixel"

    def __init__(self, classes="labels", standard=False):
        self.classes, self.standard, self.accuracy = classes, standard, {"accuracy": 1.0, "accuracy_pose": 1.0}

    def network(self, pixels):
        images = tf.cast(pixels, tf.float32) / 255.0
        red, green = images[..., 0], images[..., 1]
        both = red + green
        along = tf.math.reduce_std(tf.reduce_mean(both, 2), 1) - tf.math.reduce_std(tf.reduce_mean(both, 1), 1)  # lying bars vary over rows
        color = tf.reduce_mean(red - green, [1, 2])
        pose = tf.stack([along, along, -along, -along], 1)
        logits = 100.0 * (pose + tf.stack([color, -color, color, -color], 1))
        features = tf.concat([tf.reduce_mean(images, 1)[:, ::4, 0], tf.reduce_mean(images, 2)[:, ::4, 1]], 1)
        return features, logits if self.classes != "none" else tf.zeros([pixels.shape[0], 0])


NOT_OF_IMAGES = ("modes", "tags")  # see collapse_test.py and tagging_test.py
ALL = tuple(name for name, metric in catalog.METRICS.items() if not metric.classifier and name not in NOT_OF_IMAGES)


def evaluator(folder, metrics=ALL, data=None, judge=None, limit=-1, **keywords):
    judge = judge or Reader()
    real = reference.build(judge, data or bar_data.Bars(test_size=120), cache_dir=folder, split="test", limit=limit, keep_images=True)
    return evaluation.Evaluator(extractor=judge, reference=real, metrics=metrics, **({"subsets": 4} | keywords))


def batches(data, size=50, labels=True):
    for start in range(0, len(data["image"]), size):
        yield {key: value[start : start + size] for key, value in data.items() if key == "image" or labels}


@pytest.fixture
def fakes():
    return bar_data.Bars().draw(160, seed=9)


def test_every_metric_gives_its_results(tmp_path, fakes):
    scores = evaluator(tmp_path).run(batches(fakes))
    assert list(scores) == [
        "fid_proxy",
        "kid_proxy",
        "is_proxy",
        "precision",
        "recall",
        "density",
        "coverage",
        "agreement",
        "agreement_pose",
        "agreement_color",
        "intra_fid_proxy",
        "diversity",
        "class_modes",
        "class_reverse_kl",
        "mode_score",
        "mode_score_che",
        "ms_ssim",
        "ms_ssim_real",
        "sliced_wasserstein",
        "sliced_wasserstein_16",
        "leak_color",
        "leak_color_red",
        "leak_color_green",
        "leak_color_blue",
        "leak_black",
        "leak_reflection",
    ]
    assert all(np.isfinite(score.value) for score in scores.values())
    assert scores["agreement"].value > 0.95
    assert scores["diversity"].value == pytest.approx(1.0, abs=0.2)
    assert (scores["class_modes"].value, scores["class_modes"].details) == (4.0, {"missing": []})
    assert scores["mode_score_che"].value == pytest.approx(4.0, abs=0.01)  # four certain classes, equally often
    assert scores["ms_ssim"].value == pytest.approx(scores["ms_ssim_real"].value, abs=0.05)
    assert (scores["sliced_wasserstein"].unit, scores["ms_ssim"].protocol.pairs) == ("x10^3", 1000)


def test_one_picture_per_class_is_wholly_similar_within_its_class(tmp_path, fakes):
    collapsed = fakes | {"image": fakes["image"][fakes["label"]]}
    found = evaluator(tmp_path, ("ms_ssim",), pairs=40).run(batches(collapsed))
    assert found["ms_ssim"].value == pytest.approx(1.0) and found["ms_ssim_real"].value < 0.9


def test_metrics_of_pictures_need_a_reference_that_kept_them(tmp_path):
    assert catalog.needs_images(("fid", "ms_ssim")) and not catalog.needs_images(("fid", "modes"))
    judge = Reader()
    real = reference.build(judge, bar_data.Bars(), cache_dir=tmp_path, split="test")
    with pytest.raises(ValueError, match="'sliced_wasserstein' looks at pictures, .* build it with keep_images=True"):
        evaluation.Evaluator(extractor=judge, reference=real, metrics=("sliced_wasserstein",))


def test_modes_are_refused_for_data_without_known_modes(tmp_path):
    with pytest.raises(ValueError, match="'modes' needs data whose modes are known"):
        evaluator(tmp_path, ("modes",))


def test_only_the_2015_graphs_scores_bear_the_published_names(tmp_path, fakes):
    scores = evaluator(tmp_path, ("fid", "kid", "intra_fid"), judge=Reader(standard=True)).run(batches(fakes))
    assert list(scores) == ["fid", "kid", "intra_fid"]


def test_the_distance_is_the_one_between_the_moments(tmp_path, fakes):
    judge = Reader()
    real = bar_data.Bars(test_size=120).draw(120, seed=1)
    expected = frechet.frechet_distance(*(frechet.Moments.of(judge(x["image"])["features"]) for x in (real, fakes)))
    assert evaluator(tmp_path, ("fid",)).run(batches(fakes))["fid_proxy"].value == pytest.approx(expected, rel=1e-9)


def test_scores_do_not_depend_on_the_batches(tmp_path, fakes):
    one, other = (evaluator(tmp_path).run(batches(fakes, size)) for size in (160, 23))
    for name, score in one.items():
        assert other[name].value == pytest.approx(score.value, rel=1e-4, abs=1e-6), name


def test_real_images_judged_against_themselves_are_perfect(tmp_path):
    data = bar_data.Bars(test_size=120)
    scores = evaluator(tmp_path, ("fid", "prdc", "intra_fid", "diversity"), data=data).run(data.examples("test", batch_size=50))
    values = {name: score.value for name, score in scores.items()}
    assert abs(values["fid_proxy"]) < 1e-6 and abs(values["intra_fid_proxy"]) < 1e-6
    assert values["precision"] == values["recall"] == values["coverage"] == 1.0
    assert values["diversity"] == pytest.approx(1.0)


def test_labels_that_do_not_belong_lower_agreement_to_chance_and_raise_the_intra_class_distance(tmp_path, fakes):
    judge = evaluator(tmp_path, ("agreement", "intra_fid"))
    right = judge.run(batches(fakes))
    wrong = judge.run(batches(fakes | {"label": np.random.RandomState(0).permutation(fakes["label"])}))
    assert wrong["agreement"].value == pytest.approx(0.25, abs=0.12)
    assert wrong["intra_fid_proxy"].value > 10 * right["intra_fid_proxy"].value


def test_one_picture_per_class_agrees_and_has_no_diversity(tmp_path, fakes):
    collapsed = fakes | {"image": fakes["image"][fakes["label"]]}  # images 0 to 3 are of classes 0 to 3
    scores = evaluator(tmp_path, ("agreement", "diversity")).run(batches(collapsed))
    assert scores["agreement"].value == 1.0
    assert scores["diversity"].value == 0.0


def test_the_record_says_what_was_measured_and_how(tmp_path, fakes):
    given = protocol.Protocol(label_sampling="balanced", truncation=0.5, generator="averaged")
    scores = evaluator(tmp_path, record=given, subsets=3, subset_size=50, splits=4, k=3, seed=8).run(batches(fakes), step=700)
    record = scores["kid_proxy"].protocol
    assert (record.metric, record.data, record.split, record.num_real, record.num_fake) == ("kid_proxy", "bars", "test", 120, 160)
    assert (record.backbone, record.weights, record.resizer, record.resolution) == ("reader", "f00d", "half_pixel", (16, 16, 3))
    assert (record.label_sampling, record.truncation, record.generator, record.seed, record.step) == ("balanced", 0.5, "averaged", 8, 700)
    assert (record.subsets, record.subset_size, record.splits, record.k) == (3, 50, 0, 0)
    assert record.judge == {"accuracy": 1.0, "accuracy_pose": 1.0}
    assert scores["is_proxy"].protocol.splits == 4
    assert scores["precision"].protocol.k == 3


def test_subsets_no_larger_than_the_smaller_set_and_on_the_record(tmp_path, fakes):
    score = evaluator(tmp_path, ("kid",), subsets=2).run(batches(fakes))["kid_proxy"]
    assert (score.protocol.subset_size, score.unit) == (120, "x10^3")
    whole = evaluator(tmp_path, ("kid",)).run(batches(bar_data.Bars().draw(120, seed=9)))["kid_proxy"]
    assert (whole.protocol.subsets, whole.std) == (1, None)


def test_scores_of_other_reference_counts_are_not_compared(tmp_path, fakes):
    one = evaluator(tmp_path, ("fid",)).run(batches(fakes))["fid_proxy"]
    other = evaluator(tmp_path, ("fid",), limit=80).run(batches(fakes))["fid_proxy"]
    with pytest.raises(ValueError, match="num_real: 120 and 80"):
        protocol.compare(one, other)


def test_moments_alone_serve_the_metrics_that_need_no_rows(tmp_path, fakes):
    assert not catalog.needs_features(("fid", "is", "agreement")) and catalog.needs_features(("fid", "kid"))
    judge = Reader()
    real = reference.build(judge, bar_data.Bars(test_size=120), cache_dir=tmp_path, split="test", keep_features=False)
    lean = evaluation.Evaluator(extractor=judge, reference=real, metrics=("fid", "is", "agreement")).run(batches(fakes))
    full = evaluator(tmp_path).run(batches(fakes))
    for name, score in lean.items():
        assert score.value == pytest.approx(full[name].value, rel=1e-9)
    with pytest.raises(ValueError, match="'kid' needs every feature row"):
        evaluation.Evaluator(extractor=judge, reference=real, metrics=("kid",))


def test_an_unknown_metric_is_refused_with_the_alternatives(tmp_path):
    with pytest.raises(ValueError, match="no metric 'fidd'.*fid, kid, is, prdc, agreement, intra_fid, diversity"):
        evaluator(tmp_path, ("fidd",))


@pytest.mark.parametrize("metric", ["agreement", "intra_fid"])
def test_metrics_of_labels_are_refused_for_data_without_labels(tmp_path, metric):
    with pytest.raises(ValueError, match=f"{metric!r} needs labels, and the data has none"):
        evaluator(tmp_path, (metric,), data=bar_data.Bars(labels=False))


def test_metrics_of_labels_are_refused_for_images_generated_without_labels_before_all_are_generated(tmp_path, fakes):
    stream = batches(fakes, 40, labels=False)
    with pytest.raises(ValueError, match="'agreement' needs the labels of the generated images"):
        evaluator(tmp_path, ("fid", "agreement")).run(stream)
    assert len(list(stream)) == 3


@pytest.mark.parametrize(("metric", "classes"), [("agreement", "imagenet"), ("agreement", "rotations"), ("is", "rotations"), ("is", "none")])
def test_class_probabilities_about_something_else_are_refused(tmp_path, metric, classes):
    with pytest.raises(ValueError, match=f"{metric!r} reads class probabilities about .*are about {classes}"):
        evaluator(tmp_path, (metric,), judge=Reader(classes=classes))


def test_diversity_without_labels_is_over_all_images(tmp_path, fakes):
    assert evaluator(tmp_path, ("diversity",)).run(batches(fakes, labels=False))["diversity"].value == pytest.approx(1.0, abs=0.1)


def test_a_class_without_two_real_images_is_named_before_anything_is_generated(tmp_path):
    with pytest.raises(ValueError, match="at least 2 real images of every class. Too few of 2 of 4 classes .'red standing', 'green standing'."):
        evaluator(tmp_path, ("fid", "intra_fid"), data=bar_data.Bars(test_size=6))


def test_samples_too_few_for_a_metric_within_classes_are_refused_before_training():
    data = bar_data.Bars().spec
    catalog.check_samples(("fid", "intra_fid"), 8, data)
    catalog.check_samples(("fid",), 2, data)
    with pytest.raises(ValueError, match="at least 2 generated images of every class. Too few of 1 of 4 classes .'green standing'.*7 generated"):
        catalog.check_samples(("fid", "intra_fid"), 7, data)


def test_a_reference_by_another_extractor_is_refused(tmp_path):
    real = reference.build(Reader(), bar_data.Bars(), cache_dir=tmp_path, split="test")
    other = Reader()
    other.fingerprint = "beef"
    with pytest.raises(ValueError, match="another extractor"):
        evaluation.Evaluator(extractor=other, reference=real)


def test_diverged_images_are_refused(tmp_path, fakes):
    with pytest.raises(ValueError, match="diverged"):
        evaluator(tmp_path, ("fid",)).run(batches(fakes | {"image": fakes["image"] * np.nan}))


def test_no_images_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 2 generated images"):
        evaluator(tmp_path, ("fid",)).run([])


def judge_of_classifiers(folder, data, metrics=("test_error",)):
    real = reference.build(Reader(), data, cache_dir=folder, split="train", limit=50)
    return evaluation.Evaluator(extractor=Reader(), reference=real, metrics=metrics, data=data)


def test_the_test_error_is_the_share_of_held_out_images_that_the_models_classifier_gets_wrong(tmp_path, fakes):
    data = bar_data.Bars(test_size=1200)
    seen = []

    def classify(images):
        """Right but for the first 30 of all."""
        labels = data.draw(1200, seed=1)["label"][len(seen) : len(seen) + len(images)]
        labels = np.where(len(seen) + np.arange(len(images)) < 30, (labels + 1) % 4, labels)
        seen.extend(images)
        return labels

    scores = judge_of_classifiers(tmp_path, data, ("fid", "test_error")).run(batches(fakes), step=7, classify=classify)
    np.testing.assert_array_equal(np.stack(seen), data.draw(1200, seed=1)["image"])
    score = scores["test_error"]
    assert score.value == pytest.approx(0.025) and score.std == pytest.approx(np.sqrt(0.025 * 0.975 / 1200))
    record = score.protocol
    assert (record.metric, record.split, record.num_real, record.num_fake, record.step) == ("test_error", "test", 1200, 0, 7)
    assert (record.backbone, record.weights, record.judge) == ("classify", "", {})
    assert (scores["fid_proxy"].protocol.split, scores["fid_proxy"].protocol.backbone) == ("train", "reader")


def test_the_test_error_of_a_model_that_does_not_classify_is_refused_before_anything_is_generated(tmp_path, fakes):
    stream = batches(fakes, 40)
    with pytest.raises(ValueError, match="'test_error' judges a model's own classifier, its endpoint 'classify', and this model has none"):
        judge_of_classifiers(tmp_path, bar_data.Bars()).run(stream)
    assert len(list(stream)) == 4


@pytest.mark.parametrize(
    ("options", "says"), [({"labels": False}, "needs labels, and the data has none"), ({"test_size": 0}, "needs a held-out split")]
)
def test_the_test_error_is_refused_for_data_without_labels_or_without_a_held_out_split(tmp_path, options, says):
    with pytest.raises(ValueError, match=f"'test_error' {says}"):
        judge_of_classifiers(tmp_path, bar_data.Bars(**options))


def test_which_way_results_get_better():
    names = ("fid", "fid_proxy", "kid_proxy", "intra_fid", "is_proxy", "recall", "agreement_pose", "modes", "sliced_wasserstein_16", "test_error")
    lower = ["fid", "fid_proxy", "kid_proxy", "intra_fid", "sliced_wasserstein_16", "test_error"]
    assert [n for n in names if not catalog.higher_is_better(n)] == lower
