"""Endless training batches: addressed by example where rows are at hand, streamed where they are not."""

from collections.abc import Sequence

import tensorflow as tf

from pipelines import augment, labelled, loading, readers

_ROUNDS = 8  # of the cipher behind RandomIndexShuffle; even, at least 4
_SHUFFLE_EXAMPLES = 10_000
_SHUFFLE_BYTES = 256 * 2**20


def permuted(position: tf.Tensor, *, count: int, seed: int, use: int = 0) -> tf.Tensor:
    """Row of the example at each global `position` [b] int64. Every `count` positions are an epoch, permuted by (seed, epoch, use)."""
    epoch = position // count
    seeds = tf.stack([tf.fill(tf.shape(position), tf.constant(seed, tf.int64)), epoch, tf.fill(tf.shape(position), tf.constant(use, tf.int64))], 1)
    last = tf.fill(tf.shape(position), tf.constant(count - 1, tf.int64))
    return tf.raw_ops.RandomIndexShuffle(index=position % count, seed=seeds, max_index=last, rounds=_ROUNDS)


def addressed(
    table: loading.Table,
    layout: readers.Layout,
    *,
    keys: Sequence[str],
    labelled_rows: Sequence[int],
    seed: int,
    start: int,
    batch_size: int,
    shard: tuple[int, int],
    augmentations: Sequence[augment.Augmentation],
) -> tf.data.Dataset:
    """Batches of these keys from global position `start`. Host i of n gets rows i * b / n to (i + 1) * b / n of each global batch of b.

    Every `image` comes with the label, if asked for, that it has; the labelled keys walk through `labelled_rows` in an order of their own.
    """
    rows = batch_size // shard[1]
    firsts = tf.data.Dataset.counter(start=start + shard[0] * rows, step=batch_size, dtype=tf.int64)

    def numbers(first):
        return permuted(first + tf.range(rows, dtype=tf.int64), count=table.count, seed=seed)

    def labelled_numbers(first):
        order = permuted(first + tf.range(rows, dtype=tf.int64), count=len(labelled_rows), seed=seed, use=1)
        return tf.gather(tf.constant(labelled_rows, tf.int64), order)

    batches = _at(table, layout, firsts, numbers, rows, [key for key in keys if key not in labelled.KEYS])
    if labelled_rows:
        few = _at(table, layout, firsts, labelled_numbers, rows, list(labelled.KEYS.values()))
        few = few.map(lambda batch: {key: batch[column] for key, column in labelled.KEYS.items() if key in keys})
        batches = tf.data.Dataset.zip(batches, few).map(lambda batch, more: batch | more)
        layout = labelled.layout(layout)
    return _finish(tf.data.Dataset.zip(firsts, batches), layout, seed, rows, augmentations)


def _at(table, layout, firsts: tf.data.Dataset, numbers, rows: int, keys: Sequence[str]) -> tf.data.Dataset:
    """The rows `numbers(first)` of these columns, for every `first`."""
    if not table.files.shape[0]:
        return firsts.map(lambda first: {key: tf.gather(table.columns[key], numbers(first)) for key in keys})
    examples = firsts.map(numbers).unbatch().map(lambda i: from_file(table, layout, i), num_parallel_calls=tf.data.AUTOTUNE)
    return examples.map(lambda row: {key: row[key] for key in keys}).batch(rows, drop_remainder=True)


def streamed(
    reader: readers.Reader,
    split: str,
    layout: readers.Layout,
    *,
    seed: int,
    batch_size: int,
    shard: tuple[int, int],
    augmentations: Sequence[augment.Augmentation],
    skip_errors: bool,
) -> tf.data.Dataset:
    """Batches of this host's share, shuffled in a buffer of still encoded examples. No op has state, so the iterator can be checkpointed."""
    rows = batch_size // shard[1]
    records = reader.records(split, list(layout.columns), shard=shard, shuffle_seed=seed)
    raw_bytes = sum(_bytes(column) for column in layout.columns.values())
    buffer = max(min(reader.count(split), _SHUFFLE_EXAMPLES, _SHUFFLE_BYTES // raw_bytes), 2 * rows)
    examples = records.shuffle(buffer, seed=seed, reshuffle_each_iteration=True).repeat()
    examples = examples.map(layout.equal_rows, num_parallel_calls=tf.data.AUTOTUNE)
    if skip_errors:
        examples = examples.ignore_errors(log_warning=True)
    examples = examples.map(lambda row: _checked(layout, row))
    firsts = tf.data.Dataset.counter(start=shard[0] * rows, step=batch_size, dtype=tf.int64)
    return _finish(tf.data.Dataset.zip(firsts, examples.batch(rows, drop_remainder=True)), layout, seed, rows, augmentations)


def _finish(batches: tf.data.Dataset, layout: readers.Layout, seed: int, rows: int, augmentations) -> tf.data.Dataset:
    """(first global index, rows) -> a batch."""

    def finish(first, values):
        batch = layout.batch(values)
        draws = {"image": augment.Draws(seed, first, rows), "labelled_image": augment.Draws(seed, first, rows).fold("labelled")}
        return batch | {key: augment.apply(augmentations, batch[key], draws[key]) for key in draws if key in batch} if augmentations else batch

    options = tf.data.Options()
    options.deterministic = True
    # The runner hands each replica its rows; nothing may be split once more.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return batches.map(finish).prefetch(tf.data.AUTOTUNE).with_options(options)


def from_file(table: loading.Table, layout: readers.Layout, index: tf.Tensor) -> dict[str, tf.Tensor]:
    """One row of a table whose images are files."""
    record = {key: tf.gather(column, index) for key, column in table.columns.items()}
    return layout.equal_rows(record | {"image": tf.io.read_file(tf.gather(table.files, index))})


def _checked(layout: readers.Layout, row: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """A streamed label is checked when it comes."""
    if "label" not in row:
        return row
    column = layout.columns["label"]
    right = tf.logical_and(row["label"] >= int(column.low), row["label"] <= int(column.high))
    with tf.control_dependencies([tf.debugging.Assert(right, [f"A label is outside of {int(column.low)} to {int(column.high)}:", row["label"]])]):
        return row | {"label": tf.identity(row["label"])}


def _bytes(column: readers.Column) -> int:
    """Decoded size, an upper bound of the stored one but for the smallest images."""
    size = readers.KINDS[column.kind].size
    for length in column.shape:
        size *= length
    return size
