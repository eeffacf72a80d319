import io

import analysed
import numpy as np
import pytest
import tiny
from PIL import Image

from tfgan_suite.analysis import class_grids

SCALE, GAP = 8, 2  # eight pixels are shown as 64


def tiles(path, rows, columns):
    """The images of a grid [rows, columns, 8, 8, 3], below the line of names."""
    sheet = np.asarray(Image.open(io.BytesIO(open(path, "rb").read())))[-SCALE * (rows * (8 + GAP) + GAP) :][::SCALE, ::SCALE]
    return np.array([[sheet[GAP + r * 10 : GAP + r * 10 + 8, GAP + c * 10 : GAP + c * 10 + 8] for c in range(columns)] for r in range(rows)])


def test_a_class_has_a_grid_of_its_own_of_the_same_latents(tmp_path):
    subject = analysed.run(tmp_path)
    paths = class_grids.run(subject, analysed.options(classes=(0, 2)), str(tmp_path / "out"))
    assert [path.rsplit("/")[-1] for path in paths] == ["class_000.png", "class_002.png"]
    first, second = (tiles(path, 3, 4) for path in paths)
    assert len({tile.tobytes() for tile in first.reshape(12, -1)}) == 12
    assert not np.array_equal(first, second)
    again = class_grids.run(subject, analysed.options(classes=(2,)), str(tmp_path / "again"))
    np.testing.assert_array_equal(tiles(again[0], 3, 4), second)


def test_every_class_is_shown_unless_told(tmp_path):
    assert len(class_grids.run(analysed.run(tmp_path), analysed.options(), str(tmp_path))) == tiny.CLASSES


@pytest.mark.parametrize(
    ("model", "classes", "says"),
    [(tiny.Config(conditional=False), (), "has no classes to show"), (tiny.Config(), (3,), "no class 3: the model has 3")],
    ids=["unconditional", "out of range"],
)
def test_classes_that_there_are_not_are_refused(tmp_path, model, classes, says):
    with pytest.raises(ValueError, match=says):
        class_grids.run(analysed.run(tmp_path, model=tiny.build(model)), analysed.options(classes=classes), str(tmp_path))
