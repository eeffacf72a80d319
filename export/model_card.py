"""The model card of a version: Markdown with the front matter that Hugging Face reads. It states what is on record, and says so where nothing is."""

import dataclasses
import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

from export import card_scores, facts

SHEET = "samples.png"
"""The picture beside the card."""

_DATASET = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


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
    run: facts.Run = dataclasses.field(default_factory=facts.Run)

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
        "Metrics": _metrics(card),
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


def _data(data: facts.Data | None) -> str:
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


def _training(training: facts.Training) -> str:
    step = None if training.step is None else str(training.step) + (f" of {training.steps}" if training.steps else "")
    return _table(
        ("Generator steps", step),
        ("Batch", None if training.batch_size is None else f"{training.batch_size} examples"),
        ("Precision", training.precision),
        ("Seed", None if training.seed is None else str(training.seed)),
    )


def _metrics(card: Card) -> str:
    """Every score but those that have a section of their own."""
    elsewhere = ("leak_", "agreement") if card.by_class else ("leak_",)
    shown = [score for score in card.run.scores if not score.name.startswith(elsewhere)]
    return card_scores.text(card.run, shown) or _not_measured(card.run, ())


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
    lines = [card_scores.text(run, [*found, *beside])]
    lines.append(f"The classifier on real held-out images, which bounds what agreement can show: {bound or 'not on record'}.")
    lines.append("One good picture per class would agree wholly: read it beside the diversity." + ("" if beside else " That was not measured."))
    return "\n\n".join(lines)


def _memorisation(run: facts.Run) -> str:
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
    return f"{lines}\n\n{meaning}\n\nDistances of the features of `{near.extractor}`, at step {near.step}{card_scores.other_step(run, near.step)}."


def _leak(run: facts.Run) -> str:
    """What augmentations of the training images left in the samples."""
    found = [score for score in run.scores if score.name.startswith("leak_")]
    return card_scores.text(run, found) + "\n\nEach is about 0 for images like the data." if found else _not_measured(run, ("augmentation_leak",))


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
            "- A seed gives the same image on the same build of TensorFlow; on other hardware the last digits of its pixels may differ.",
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
        latents = re.search(r", (\d+)\]", calls["generate_default"].inputs["latents"])
        code = 'layer = keras.layers.TFSMLayer("PATH", call_endpoint="generate_default")'
        code += f'\nimages = layer(keras.random.normal([1, {latents.group(1) if latents else "z"}]))["images"]'
        parts.append(f"A layer of a Keras model:\n\n```python\nimport keras\n\n{code}\n```")
    return "\n\n".join(parts)


def _not_measured(run: facts.Run, needed: Iterable[str]) -> str:
    missing = [name for name in needed if name not in run.metrics]
    more = f" --add_metrics={','.join(missing)}" if missing else ""
    return f"Not measured. To measure: `tfgan-evaluate --workdir=<run>{more}`, then export again."


def _table(*rows: tuple[str, str | None]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {'not on record' if value is None else value} |" for name, value in rows)])


def _tensors(tensors: dict[str, str]) -> str:
    return ", ".join(f"`{key}` {kind}" for key, kind in tensors.items())
