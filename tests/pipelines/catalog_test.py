import pytest

from pipelines import catalog, files, prepared, toys


def test_each_form_has_its_reader(numbered_folder, prepared_digits):
    assert isinstance(catalog.open_source(f"folder:{numbered_folder(1)}", ""), files.Folder)
    assert type(catalog.open_source("tiny_digits", prepared_digits)) is prepared.Tfds
    assert isinstance(catalog.open_source("toy:ring8", ""), toys.Toy)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("folder:", "names no dir: write folder:<dir>"),
        ("tfrecord", "names no glob: write tfrecord:<glob>"),
        ("toy:", "names no name: write toy:<name>"),
        ("toy:ring9", "no toy distribution 'ring9'. Choose one of: toy:ring8, .*toy:swiss_roll"),
        ("stacked_digits", "names no source: write stacked_digits:<source>"),
        ("/data/cats", "has none of the forms captioned_shapes/<config>, folder:<dir>"),
        ("folders:/data/cats", "has none of the forms .* Did you mean folder?"),
        ("Cifar10", "has none of the forms"),
    ],
)
def test_a_malformed_source_is_explained(source, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        catalog.open_source(source, str(tmp_path))


def test_an_unknown_name_is_told_apart_from_one_that_is_not_prepared(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared, "reachable", lambda: False)
    with pytest.raises(ValueError, match="'cifr10' is unknown.*Did you mean cifar10"):
        catalog.open_source("cifr10", str(tmp_path))
    with pytest.raises(ValueError, match="'cifar10' is not prepared"):
        catalog.open_source("cifar10", str(tmp_path))
