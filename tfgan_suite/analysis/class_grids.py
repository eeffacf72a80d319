"""A grid of samples for each class: what a column of `tfgan-sample` has no room to show, the variety within a class."""

import os

import tensorflow as tf

from tfgan_suite.analysis import subject as subjects
from tfgan_suite.core import files, picture
from tfgan_suite.ops import random


def run(subject: subjects.Subject, options: subjects.Options, output: str) -> list[str]:
    """Writes `class_<number>.png` of rows x columns samples for each class, from the same latents; returns the paths."""
    model, count, paths = subject.model, options.rows * options.columns, []
    stream = random.Stream(options.seed, "class grids")
    latents = model.sample_latents(stream.fold("latents"), count, options.truncation)
    for label in subject.classes(options.classes):
        conditions = model.sample_conditions(stream.fold("conditions"), count) | {"label": tf.fill([count], label)}
        sheet = picture.grid(model.sample(latents, conditions).numpy(), options.columns, scale=subject.scale)
        paths.append(os.path.join(output, f"class_{label:03d}.png"))
        files.write(paths[-1], picture.png(picture.with_column_names(sheet, [subject.class_name(label)])))
    return paths
