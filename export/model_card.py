"""The model card of a version: Markdown with the front matter that Hugging Face reads. It states what is on record, and says so where nothing is."""

import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

SHEET = "samples.png"
"""The picture beside the card."""

_DATASET = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_PROXY = "_proxy"
_MEANINGS = {
    "fid": "Fréchet distance of features, lower is better",
    "kid": "kernel distance of features, lower is better",
    "is": "inception score, higher is better",
    "intra_fid": "mean Fréchet distance within a class, lower is better",
    "precision": "share of the samples that lie among the data",
    "recall": "share of the data that lie among the samples",
    "density": "how densely the data lie around the samples, about 1 for the data themselves",
    "coverage": "share of the data with a sample nearby",
    "diversity": "spread within a class over the data's, 1 for as varied as the data",
    "agreement": "share of the samples that a classifier gives the class asked for",
    "ms_ssim": "similarity of two samples of a class, lower is more varied",
    "test_error": "share of the held-out images that the model's own classifier gets wrong",
    "leak_color": "shift of colours, in the data's deviations",
    "leak_black": "share of the pixels in black rectangles, above the data's",
    "leak_reflection": "agreement of borders with their mirror image, above the data's",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data:
    """What the model was trained on."""

    name: str
    classes: int = 0
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, ...] = ()
    """Height, width, channels."""
    size: int | None = None
    """Examples it was trained on."""
    held_out: int | None = None
    """Examples that were held out."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training:
    """How it was trained; None for what is not on record."""

    step: int | None = None
    """Of the exported weights."""
    steps: int | None = None
    """That the run was to have."""
    batch_size: int | None = None
    precision: str | None = None
    seed: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Score:
    """A number with the record of how it was measured, as `metrics.json` has it."""

    name: str
    value: float
    std: float | None
    unit: str
    protocol: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Distances of samples and of held-out images to their nearest training image, as `neighbours.json` has them."""

    extractor: str
    step: int
    samples: int
    median: float
    held_out_median: float | None
    """None where the data have no held-out split."""
    ratio: float | None
    """median / held_out_median."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What is known of the run that the weights come from."""

    variant: str = ""
    summary: str = ""
    paper: str = ""
    license: str = "unknown"
    """An identifier that Hugging Face knows, of the weights."""
    data: Data | None = None
    training: Training = dataclasses.field(default_factory=Training)
    metrics: tuple[str, ...] = ()
    """Metrics that the run's experiment asks for."""
    scores: tuple[Score, ...] = ()
    neighbours: Neighbours | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """A signature: its tensors in words, and one row of inputs as JSON has it."""

    name: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    row: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Card:
    """What a card says."""

    model_name: str
    tensorflow: str
    calls: tuple[Call, ...]
    sheet: str = ""
    """What the picture shows; "" if there is none."""
    run: Run = dataclasses.field(default_factory=Run)

    @property
    def by_class(self) -> bool:
        """Whether a request names a class."""
        return any("label" in call.inputs for call in self.calls)


def text(card: Card) -> str:
    """The card."""
    sections = {
        "": _introduction(card),
        "Data": _data(card.run.data),
        "Training": _training(card.run.training),
        "Metrics": _metrics(card.run),
        "Conditional agreement": _agreement(card),
        "Memorisation": _memorisation(card.run),
        "Augmentation leak": _leak(card.run),
        "Intended use and limits": _limits(card),
        "How to call it": _calls(card),
    }
    body = "\n\n".join(f"## {title}\n\n{content}" if title else content for title, content in sections.items())
    return f"---\n{yaml.safe_dump(_front_matter(card), sort_keys=False, allow_unicode=True)}---\n\n{body}\n"


def _front_matter(card: Card) -> dict[str, Any]:
    run = card.run
    tags = ["tensorflow", "saved-model", "gan", "image-generation", "tfgan-suite", *([run.variant] if run.variant else [])]
    matter: dict[str, Any] = {"license": run.license, "library_name": "tensorflow", "pipeline_tag": "unconditional-image-generation", "tags": tags}
    if run.data and _DATASET.fullmatch(run.data.name):
        matter["datasets"] = [run.data.name]
    if run.scores:
        matter["metrics"] = [score.name for score in run.scores]
    return matter


def _introduction(card: Card) -> str:
    run = card.run
    what = f"A generator trained as `{run.variant}`. {run.summary}" if run.variant else "A generator."
    paper = f" The method is that of {run.paper}." if run.paper else ""
    form = (
        f"It is a SavedModel, written by `tfgan-export` with TensorFlow {card.tensorflow}, for TensorFlow Serving and every program with TensorFlow."
    )
    picture = f"\n\n![Samples]({SHEET})\n\n{card.sheet}" if card.sheet else ""
    return f"# {card.model_name}\n\n{what.strip()}{paper} {form}{picture}"


def _data(data: Data | None) -> str:
    if not data:
        return "Not on record."
    names = f": {', '.join(data.class_names)}" if data.class_names else ""
    return _table(
        ("Dataset", f"`{data.name}`"),
        ("Images", " x ".join(map(str, data.image_shape)) + " (height, width, channels)" if data.image_shape else None),
        ("Classes", f"{data.classes}{names}" if data.classes else "none"),
        ("Trained on", _examples(data.size)),
        ("Held out", _examples(data.held_out)),
    )


def _examples(count: int | None) -> str | None:
    return None if count is None else f"{count} examples"


def _training(training: Training) -> str:
    step = None if training.step is None else str(training.step) + (f" of {training.steps}" if training.steps else "")
    return _table(
        ("Generator steps", step),
        ("Batch", None if training.batch_size is None else f"{training.batch_size} examples"),
        ("Precision", training.precision),
        ("Seed", None if training.seed is None else str(training.seed)),
    )


def _metrics(run: Run) -> str:
    """Every score but the leaks, which have a section of their own."""
    return _scores(run, [score for score in run.scores if not score.name.startswith("leak_")]) or _not_measured(run, ())


def _agreement(card: Card) -> str:
    """The share of samples of the class asked for, beside what bounds it and what it hides."""
    run = card.run
    if not card.by_class:
        return "Does not apply: a request names no class."
    found = [score for score in run.scores if score.name.startswith("agreement")]
    if not found:
        return _not_measured(run, ("agreement", "diversity"))
    judge = found[0].protocol.get("judge", {})
    bound = "; ".join(f"{name} {share:.4g}" for name, share in judge.items())
    beside = [score for score in run.scores if score.name == "diversity"]
    lines = [_scores(run, [*found, *beside])]
    lines.append(f"The classifier on real held-out images, which bounds what agreement can show: {bound or 'not on record'}.")
    lines.append("One good picture per class would agree wholly: read it beside the diversity." + ("" if beside else " That was not measured."))
    return "\n\n".join(lines)


def _memorisation(run: Run) -> str:
    """Whether samples lie nearer to the training images than images that nobody trained on."""
    near = run.neighbours
    if not near:
        return "Not measured. To measure: `tfgan-analyze neighbours --workdir=<run> --output=<run>/analysis`, then export again."
    lines = _table(
        ("Samples", str(near.samples)),
        ("Median distance to the nearest training image", f"{near.median:.4g}"),
        ("The same of held-out images", None if near.held_out_median is None else f"{near.held_out_median:.4g}"),
        ("Ratio of the two", None if near.ratio is None else f"{near.ratio:.4g}"),
    )
    meaning = "A generator that copies is nearer to the training images than images that nobody trained on: the ratio is then far below 1."
    return f"{lines}\n\n{meaning}\n\nDistances of the features of `{near.extractor}`, at step {near.step}{_other_step(run, near.step)}."


def _leak(run: Run) -> str:
    """What augmentations of the training images left in the samples."""
    found = [score for score in run.scores if score.name.startswith("leak_")]
    return _scores(run, found) + "\n\nEach is about 0 for images like the data." if found else _not_measured(run, ("augmentation_leak",))


def _limits(card: Card) -> str:
    shape = card.run.data.image_shape if card.run.data else ()
    size = f" of {' x '.join(map(str, shape))}" if shape else ""
    name = f"`{card.run.data.name}`" if card.run.data else "its training data"
    return "\n".join(
        [
            f"- It draws images{size} that resemble {name}, for research, teaching and tests of serving. It was judged by the figures above alone.",
            "- A sample is no photograph of anything, and says nothing about the world beyond the data; what the data lack or favour, so does it.",
            "- Whether the terms of the data allow a use is not known to this card. "
            + ("No licence of the weights is on record." if card.run.license == "unknown" else f"The licence of the weights: {card.run.license}."),
            "- A seed gives the same image on the same build of TensorFlow; on other hardware the last digits of its pixels differ.",
        ]
    )


def _calls(card: Card) -> str:
    calls = {call.name: call for call in card.calls}
    table = ["| signature | inputs | outputs |", "|---|---|---|"]
    table += [f"| `{call.name}` | {_tensors(call.inputs)} | {_tensors(call.outputs)} |" for call in card.calls]
    parts = ["\n".join(table), "b is the number of rows; row i of an answer depends on row i of the request alone. Images are in [-1, 1]."]
    over_rest = calls.get("sample_png") or calls.get("sample")
    if over_rest:
        body = json.dumps({"signature_name": over_rest.name, "instances": [over_rest.row]})
        parts.append(f"TensorFlow Serving:\n\n```\ncurl -d '{body}' http://localhost:8501/v1/models/{card.model_name}:predict\n```")
    if "sample" in calls:
        call = calls["sample"]
        arguments = ", ".join(f"{key}=tf.constant({[call.row[key]]}, tf.{kind.split()[0]})" for key, kind in call.inputs.items())
        code = f'model = tf.saved_model.load("PATH")  # the folder of saved_model.pb\nimages = model.signatures["sample"]({arguments})["images"]'
        parts.append(f"TensorFlow:\n\n```python\nimport tensorflow as tf\n\n{code}\n```")
    if "generate_default" in calls:
        latents = re.search(r"\d+", calls["generate_default"].inputs["latents"])
        code = 'layer = keras.layers.TFSMLayer("PATH", call_endpoint="generate_default")'
        code += f'\nimages = layer(keras.random.normal([1, {latents.group() if latents else "z"}]))["images"]'
        parts.append(f"A layer of a Keras model:\n\n```python\nimport keras\n\n{code}\n```")
    return "\n\n".join(parts)


def _scores(run: Run, scores: Sequence[Score]) -> str:
    """A table of the scores, and below it under which protocol each was measured; "" without scores."""
    if not scores:
        return ""
    rows = ["| metric | value | +/- | unit | what it is |", "|---|---|---|---|---|"]
    for score in scores:
        deviation = "" if score.std is None else f"{score.std:.2g}"
        rows.append(f"| `{score.name}` | {score.value:.4g} | {deviation} | {score.unit} | {_meaning(score.name)} |")
    names: dict[str, list[str]] = {}
    for score in scores:
        names.setdefault(_protocol(run, score.protocol), []).append(f"`{score.name}`")
    lines = [f"- {', '.join(group)}: {line}" for line, group in names.items()]
    return "\n".join([*rows, "", "Measured so:", "", *lines])


def _meaning(name: str) -> str:
    base = name.removesuffix(_PROXY)
    known = next((text for key, text in _MEANINGS.items() if base == key or base.startswith(f"{key}_")), "")
    return f"{known}; by other features than the published figures, so not to be compared with them" if name != base else known


def _protocol(run: Run, record: dict[str, Any]) -> str:
    """The protocol of one number, as a line."""
    resolution = " x ".join(map(str, record.get("resolution", ())))
    truncation = record.get("truncation", 0.0)
    parts = [
        f"{record.get('num_fake')} samples against {record.get('num_real')} real images of the split {record.get('split')!r}",
        f"data {record.get('data')}",
        f"features {record.get('backbone')} ({record.get('weights')}), resized by {record.get('resizer')} from {resolution}" if resolution else "",
        "rounded to 8 bits" if record.get("quantised") else "not rounded to 8 bits",
        f"labels {record['label_sampling']}" if record.get("label_sampling") else "",
        f"truncation {truncation:g}" if truncation else "no truncation",
        *(f"{key} {record[key]}" for key in ("splits", "subsets", "subset_size", "pairs", "k") if record.get(key)),
        f"{record.get('generator')} generator, {record.get('batch_norm')} statistics, batches of {record.get('batch_size')}",
        f"seed {record.get('seed')}",
        f"step {record.get('step')}{_other_step(run, record.get('step'))}",
    ]
    return "; ".join(filter(None, parts)) + "."


def _other_step(run: Run, step: int | None) -> str:
    """A warning where a number belongs to other weights than these."""
    here = run.training.step
    return f" (**of other weights: these are of step {here}**)" if here is not None and step != here else ""


def _not_measured(run: Run, needed: Iterable[str]) -> str:
    missing = [name for name in needed if name not in run.metrics]
    first = f"name {' and '.join(f'`{name}`' for name in missing)} in `evaluation.metrics` of `<run>/experiment.json`, then " if missing else ""
    return f"Not measured. To measure: {first}`tfgan-evaluate --workdir=<run>`, then export again."


def _table(*rows: tuple[str, str | None]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {'not on record' if value is None else value} |" for name, value in rows)])


def _tensors(tensors: dict[str, str]) -> str:
    return ", ".join(f"`{key}` {kind}" for key, kind in tensors.items())
