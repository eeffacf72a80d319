import numpy as np
import pytest

from pipelines import spec, toys
from tfgan_suite.metrics import catalog, evaluation, features, reference

RING = toys.MIXTURES["ring8"]


class Ring:
    """A perfect sampler of the ring as `examples.Data`."""

    fingerprint = "ring"

    def __init__(self, mixture=RING):
        image = spec.Feature(shape=(1, 2, 1), dtype="float32", low=-1.1, high=1.1)
        self.spec = spec.DataSpec(name="toy:ring8", features={"image": image}, size=2000, test_size=2000, mixture=mixture)

    def draw(self, count, seed, modes=8):
        random = np.random.RandomState(seed)
        points = toys.mixture_points(RING, random.randint(modes, size=count), random)
        return points.astype(np.float32).reshape(count, 1, 2, 1)

    def examples(self, split, *, batch_size, limit=-1):
        yield {"image": self.draw(2000 if limit < 0 else limit, 0)}


def scores(points, folder, metrics=("modes", "fid"), data=None, **options):
    data = data or Ring()
    judge = features.load("numbers", cache_dir=folder, data=data)
    real = reference.build(judge, data, cache_dir=folder, split="test", **options)
    return evaluation.Evaluator(extractor=judge, reference=real, metrics=metrics).run([{"image": points[:700]}, {"image": points[700:]}])


def test_modes_are_judged_in_the_space_of_the_points_with_the_missing_ones_named(tmp_path):
    found = scores(Ring().draw(2500, 5, modes=3), tmp_path)
    assert (found["modes"].value, found["modes"].details) == (3.0, {"missing": [3, 4, 5, 6, 7]})
    assert found["assigned_modes"].value == 3.0
    assert found["high_quality"].value == pytest.approx(0.9889, abs=0.01)
    assert found["reverse_kl"].value == pytest.approx(np.log(8 / 3), abs=0.01)
    assert found["std_ratio"].value == pytest.approx(0.974, abs=0.03)
    record = found["modes"].protocol
    assert (record.backbone, record.quantised, record.resolution, record.num_fake) == ("numbers", False, (1, 2, 1), 2500)
    assert found["fid_proxy"].value > 0.1
    assert [n for n in found if not catalog.higher_is_better(n)] == ["reverse_kl", "fid_proxy"]


def test_without_a_point_of_high_quality_what_is_about_those_points_is_left_out(tmp_path):
    found = scores(np.zeros((1000, 1, 2, 1), np.float32), tmp_path, metrics=("modes",))
    assert {name: score.value for name, score in found.items()} == {"modes": 0.0, "high_quality": 0.0, "assigned_modes": 1.0}


def test_metrics_that_do_not_fit_the_data_are_refused(tmp_path):
    points = Ring().draw(900, 1)
    with pytest.raises(ValueError, match="'modes' needs data whose modes are known, such as toy:ring8. Leave it out for 'toy:ring8'"):
        scores(points, tmp_path, data=Ring(mixture=None))
    with pytest.raises(ValueError, match="'ms_ssim' looks at pictures, not vectors"):
        scores(points, tmp_path, metrics=("ms_ssim",), keep_images=True)


def test_points_are_refused_by_extractors_of_pictures_with_the_one_for_vectors_named(tmp_path):
    with pytest.raises(ValueError, match="at least 16 pixels a side.*evaluation.extractor=numbers"):
        features.load("embedded", cache_dir=tmp_path, data=Ring())
