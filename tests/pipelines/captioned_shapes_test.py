import os

import numpy as np
import pytest
import tensorflow_datasets as tfds

from pipelines import captioned_shapes, shape_scenes, shapes


def _tiny(name, kind, size=32):
    return captioned_shapes.ShapesConfig(name=name, description="A few examples.", kind=kind, image_size=size, train_examples=90, test_examples=70)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The directories of tiny versions of two configs, prepared as `prepare` does it."""
    data_dir = str(tmp_path_factory.mktemp("data"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captioned_shapes.CaptionedShapes, "BUILDER_CONFIGS", [_tiny("studio", "studio"), _tiny("scenes_64", "scenes", 64)])
        return {config: captioned_shapes.prepare(data_dir, config) for config in ("studio", "scenes_64")}


def _read(directory, split):
    return list(tfds.as_numpy(tfds.builder_from_directory(directory).as_dataset(split=split, shuffle_files=False)))


def test_four_configs_of_20000_and_4000_examples_exist():
    configs = {c.name: (c.kind, c.image_size, c.train_examples, c.test_examples) for c in captioned_shapes.CaptionedShapes.BUILDER_CONFIGS}
    assert configs == {
        "studio": ("studio", 32, 20_000, 4_000),
        "studio_64": ("studio", 64, 20_000, 4_000),
        "scenes": ("scenes", 32, 20_000, 4_000),
        "scenes_64": ("scenes", 64, 20_000, 4_000),
    }


def test_class_names_and_groups_follow_the_label():
    assert len(captioned_shapes.CLASS_NAMES) == 40
    for label, name in enumerate(captioned_shapes.CLASS_NAMES):
        color, shape = name.split()
        assert shape == captioned_shapes.SHAPES[label // 8] == captioned_shapes.CLASS_GROUPS["shape"][label]
        assert color == tuple(captioned_shapes.COLORS)[label % 8] == captioned_shapes.CLASS_GROUPS["color"][label]


@pytest.mark.parametrize(("config", "kind", "size"), [("studio", "studio", 32), ("scenes_64", "scenes", 64)])
def test_a_prepared_directory_reads_back_what_was_drawn(prepared, config, kind, size):
    for split, count in (("train", 90), ("test", 70)):
        rows = _read(prepared[config], split)
        assert len(rows) == count
        indices = np.arange(count)
        facts = shape_scenes.labels(kind, split, indices)
        drawn = shapes.render(shape_scenes.scenes(kind, split, indices), size)
        for key in ("image", "normal", "mask"):
            np.testing.assert_array_equal(np.stack([row[key] for row in rows]), drawn[key])
        for key in ("label", "shape", "color", "size", "position", "attributes"):
            np.testing.assert_array_equal(np.stack([row[key] for row in rows]), getattr(facts, key))


def test_stored_captions_name_the_stored_class(prepared):
    features = tfds.builder_from_directory(prepared["scenes_64"]).info.features
    for row in _read(prepared["scenes_64"], "train"):
        assert row["captions"].shape == (5,)
        words = {key: features[key].int2str(int(row[key])) for key in ("shape", "color", "size")}
        assert features["label"].int2str(int(row["label"])) == f"{words['color']} {words['shape']}"
        for caption in row["captions"]:
            assert all(word in caption.decode() for word in words.values())


def test_preparing_again_reuses_the_directory(prepared):
    directory = prepared["studio"]
    data_dir = os.path.abspath(os.path.join(directory, "..", "..", ".."))
    before = {name: os.stat(os.path.join(directory, name)).st_mtime_ns for name in os.listdir(directory)}
    assert captioned_shapes.prepare(data_dir, "studio") == directory
    assert {name: os.stat(os.path.join(directory, name)).st_mtime_ns for name in os.listdir(directory)} == before


def test_two_preparations_are_equal_to_the_byte(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(captioned_shapes.CaptionedShapes, "BUILDER_CONFIGS", [_tiny("studio", "studio")])
    again = captioned_shapes.prepare(str(tmp_path), "studio")
    for name in os.listdir(again):
        if "tfrecord" in name:
            with open(os.path.join(again, name), "rb") as a, open(os.path.join(prepared["studio"], name), "rb") as b:
                assert a.read() == b.read()


def test_a_failed_preparation_leaves_nothing_that_looks_prepared(tmp_path, monkeypatch):
    monkeypatch.setattr(captioned_shapes.CaptionedShapes, "BUILDER_CONFIGS", [_tiny("studio", "studio")])

    def fail(scenes, size):
        raise OSError("no space left on device")

    monkeypatch.setattr(shapes, "render", fail)
    with pytest.raises(OSError, match="no space left"):
        captioned_shapes.prepare(str(tmp_path), "studio")
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and "tfrecord" in path.name]
    assert not (tmp_path / "captioned_shapes" / "studio" / "1.0.0").exists()


def test_of_two_processes_that_prepare_at_once_the_first_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(captioned_shapes.CaptionedShapes, "BUILDER_CONFIGS", [_tiny("studio", "studio")])
    generate, started = captioned_shapes.CaptionedShapes._generate_examples, []

    def generate_late(self, split):
        if not started:
            started.append(split)
            captioned_shapes.prepare(str(tmp_path), "studio")  # The other process, from start to end.
        return generate(self, split)

    monkeypatch.setattr(captioned_shapes.CaptionedShapes, "_generate_examples", generate_late)
    directory = captioned_shapes.prepare(str(tmp_path), "studio")
    assert len(_read(directory, "train")) == 90
    assert os.listdir(os.path.join(directory, "..")) == ["1.0.0"]


def test_an_unknown_config_names_the_alternatives(tmp_path):
    with pytest.raises(ValueError, match="no config 'garden'. Its configs: studio, studio_64, scenes, scenes_64"):
        captioned_shapes.prepare(str(tmp_path), "garden")
