"""Which reader a source's name stands for."""

import difflib
import re

from pipelines import files, prepared, readers, tags

SOURCES = {
    "captioned_shapes": prepared.CaptionedShapes,
    "folder": files.Folder,
    "idx": files.Idx,
    "tfrecord": files.TfRecord,
    "tags": tags.Tags,
}
"""First word of a source -> reader. Every other source is the name of a TFDS dataset."""

FORMS = (
    "captioned_shapes/<config>, folder:<dir>, idx:<dir>, tfrecord:<glob>, tags:<features>x<numbers>x<words>, or a dataset of TFDS: <name>, "
    "<name>/<config>, <name>:<version>"
)

_TFDS_NAME = re.compile(r"[a-z][a-z0-9_]*(/[\w.-]+)?(:\d+\.\d+\.\d+)?")


def open_source(source: str, data_dir: str) -> readers.Reader:
    """The reader of `source`, prepared in `data_dir` if it is a dataset of TFDS or the built-in one. ValueError: unknown, or not to be had."""
    word = re.split("[:/]", source)[0]
    if word in SOURCES:
        path = source.partition(":")[2]
        if issubclass(SOURCES[word], prepared.Tfds):
            return SOURCES[word](source, data_dir)
        if not path:
            rest = {"tfrecord": "glob", "tags": "sizes"}.get(word, "dir")
            raise ValueError(f"The source {source!r} names no {'sizes' if word == 'tags' else 'files'}: write {word}:<{rest}>.")
        return SOURCES[word](path, data_dir)
    if not _TFDS_NAME.fullmatch(source):
        raise ValueError(f"The source {source!r} has none of the forms {FORMS}.{_nearest(word, list(SOURCES))}")
    if not prepared.find(source, data_dir):
        _check_known(source)
    return prepared.Tfds(source, data_dir)


def _check_known(source: str) -> None:
    """Spares an unknown name the wait for the network."""
    import tensorflow_datasets as tfds

    known = [*SOURCES, *tfds.list_builders(with_community_datasets=False)]
    word = re.split("[:/]", source)[0]
    if word not in known:
        raise ValueError(f"The source {source!r} is unknown: no dataset of TFDS has this name.{_nearest(word, known)} Forms: {FORMS}.")


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=3)
    return f" Did you mean {' or '.join(close)}?" if close else ""
