"""Which reader a source's name stands for."""

import difflib
import re

from pipelines import files, prepared, readers, stacked, tags, toys

SOURCES = {
    "folder": ("dir", files.Folder),
    "idx": ("dir", files.Idx),
    "tfrecord": ("glob", files.TfRecord),
    "toy": ("name", toys.Toy),
    "tags": ("sizes", tags.Tags),
}
"""First word of a source `<word>:<rest>` -> what the rest is, and the reader(rest, data_dir)."""

BUILT_IN = "captioned_shapes"
STACKED = "stacked_digits"
FORMS = (
    f"{BUILT_IN}/<config>, {', '.join(f'{word}:<{rest}>' for word, (rest, _) in SOURCES.items())}, {STACKED}:<source>, or a dataset of TFDS: <name>, "
    "<name>/<config>, <name>:<version>"
)

_TFDS_NAME = re.compile(r"[a-z][a-z0-9_]*(/[\w.-]+)?(:\d+\.\d+\.\d+)?")


def open_source(source: str, data_dir: str) -> readers.Reader:
    """The reader of `source`, prepared in `data_dir` if it is a dataset of TFDS or the built-in one. ValueError: unknown, or not to be had."""
    word, rest = re.split("[:/]", source)[0], source.partition(":")[2]
    if word == BUILT_IN:
        return prepared.CaptionedShapes(source, data_dir)
    if word in (*SOURCES, STACKED):
        what, reader = SOURCES.get(word, ("source", None))
        if not rest:
            raise ValueError(f"The source {source!r} names no {what}: write {word}:<{what}>.")
        return reader(rest, data_dir) if reader else stacked.StackedDigits(open_source(rest, data_dir))
    if not _TFDS_NAME.fullmatch(source):
        raise ValueError(f"The source {source!r} has none of the forms {FORMS}.{_nearest(word, [BUILT_IN, STACKED, *SOURCES])}")
    if not prepared.find(source, data_dir):
        _check_known(source)
    return prepared.Tfds(source, data_dir)


def _check_known(source: str) -> None:
    """Spares an unknown name the wait for the network."""
    import tensorflow_datasets as tfds

    known = [BUILT_IN, STACKED, *SOURCES, *tfds.list_builders(with_community_datasets=False)]
    word = re.split("[:/]", source)[0]
    if word not in known:
        raise ValueError(f"The source {source!r} is unknown: no dataset of TFDS has this name.{_nearest(word, known)} Forms: {FORMS}.")


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=3)
    return f" Did you mean {' or '.join(close)}?" if close else ""
