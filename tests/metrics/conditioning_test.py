import numpy as np
import pytest

from tfgan_suite.metrics import conditioning

SHAPES, COLORS = ("cube", "cube", "ball", "ball"), ("red", "blue", "red", "blue")
GROUPS = {"shape": SHAPES, "color": COLORS}


def clusters(count_per_class, classes, spread=1.0, seed=0):
    generator = np.random.RandomState(seed)
    labels = np.repeat(np.arange(classes), count_per_class)
    centres = 20.0 * np.random.RandomState(99).normal(size=(classes, 3))
    return centres[labels] + spread * generator.normal(size=(len(labels), 3)), labels


def test_agreement_is_the_share_of_equal_classes_with_its_binomial_error():
    share, error = conditioning.agreement(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 3]))
    assert share == 0.75
    assert error == pytest.approx(np.sqrt(0.75 * 0.25 / 4))


def test_agreement_in_a_group_forgives_errors_within_it():
    predicted, labels = (
        np.array([0, 1, 3, 0]),
        np.array([1, 1, 1, 2]),
    )  # red cube for blue cube, right, blue ball for blue cube, red cube for red ball
    shares = {name: share for name, (share, _) in conditioning.agreements(predicted, labels, GROUPS).items()}
    assert shares == {"agreement": 0.25, "agreement_shape": 0.5, "agreement_color": 0.75}


def test_agreement_with_random_classes_is_one_over_their_number():
    labels = np.arange(8000) % 10
    share, error = conditioning.agreement(np.random.RandomState(0).permutation(labels), labels)
    assert abs(share - 0.1) < 4 * error


def test_accuracies_judge_a_classifier_on_its_own():
    def reads_the_pixel(images):
        return {"probabilities": np.eye(4)[np.asarray(images)[:, 0, 0, 0].astype(int)]}

    batches = [{"image": np.array([0.0, 1, 2]).reshape(3, 1, 1, 1), "label": np.array([0, 1, 3])}]
    shares = conditioning.accuracies(reads_the_pixel, batches, GROUPS)
    assert shares == {"accuracy": pytest.approx(2 / 3), "accuracy_shape": 1.0, "accuracy_color": pytest.approx(2 / 3)}


def test_permuted_labels_make_the_intra_class_distance_much_larger():
    real, labels = clusters(200, 4)
    fake, fake_labels = clusters(200, 4, seed=1)
    matched, by_class = conditioning.intra_class_frechet(real, labels, fake, fake_labels)
    permuted, _ = conditioning.intra_class_frechet(real, labels, fake, np.random.RandomState(0).permutation(fake_labels))
    assert set(by_class) == {0, 1, 2, 3}
    assert permuted > 100 * matched


def test_intra_class_distance_is_the_mean_over_classes():
    # class 0: means 1 and 2, variances 2 and 2; class 1: equal sets
    real, fake, labels = np.array([[0.0], [2], [5], [7]]), np.array([[1.0], [3], [5], [7]]), np.array([0, 0, 1, 1])
    mean, by_class = conditioning.intra_class_frechet(real, labels, fake, labels)
    np.testing.assert_allclose([mean, by_class[0], by_class[1]], [0.5, 1.0, 0.0], atol=1e-9)


def test_a_class_without_two_images_is_named():
    real, labels = clusters(5, 3)
    with pytest.raises(ValueError, match=r"at least 2 generated images of every class.*1 of 3 classes \('torus'\)"):
        conditioning.intra_class_frechet(real, labels, real[:10], labels[:10], ("cube", "ball", "torus"))


def test_mean_distance_over_pairs_worked_by_hand():
    # 3-4-5 triangle
    np.testing.assert_allclose(conditioning.mean_distance(np.array([[0.0, 0], [3, 0], [0, 4]])), 4.0)


def test_one_picture_per_class_has_no_diversity_although_it_agrees():
    real, labels = clusters(50, 4)
    collapsed = np.repeat(real[::50], 50, axis=0)
    assert conditioning.diversity(real, labels, collapsed, labels)[0] == 0.0


def test_diversity_is_the_ratio_of_spreads_whatever_the_distance_between_classes():
    real, labels = clusters(50, 4)
    centres = np.stack([real[labels == c].mean(0) for c in range(4)])[labels]
    ratio, by_class = conditioning.diversity(real, labels, centres + 0.5 * (real - centres), labels)
    assert ratio == pytest.approx(0.5)
    assert by_class == pytest.approx({c: 0.5 for c in range(4)})
