"""Answers of an exported version in a process that has imported TensorFlow and nothing else of ours.

`python -I run_in_tensorflow.py plan.json` (`export.verify` writes the plan) runs every signature
- `load`: as `tf.saved_model.load` gives it;
- `session`: in a graph session fed by tensor names, which is how a model server runs it; the warm-up requests are replayed here too;
- `batching`: behind TensorFlow's own batching kernel, the plan's callers all at once, each in a thread of its own.
"""

import json
import sys
import threading

import numpy as np
import tensorflow as tf

_END = b"."
_ROUNDS = 5
_WAIT_MICROSECONDS = 50_000


def main(path):
    with open(path, encoding="utf-8") as file:
        plan = json.load(file)
    with np.load(plan["inputs"]) as file:
        arrays = {key: _unpack(value) for key, value in file.items()}
    answers = {}
    loaded = tf.saved_model.load(plan["model"])
    for name, signature in plan["signatures"].items():
        inputs = {key: arrays[f"{name}/{key}"] for key in signature["inputs"]}
        for composition, rows in plan["compositions"].items():
            outputs = loaded.signatures[name](**{key: tf.constant(value[rows]) for key, value in inputs.items()})
            answers |= {f"load/{name}/{composition}/{key}": value.numpy() for key, value in outputs.items()}
        answers |= batching(loaded.signatures[name], name, inputs, plan)
    answers |= session(plan, arrays)
    np.savez(plan["outputs"], **{key: _pack(value) for key, value in answers.items()})


def session(plan, arrays):
    """Every signature in every composition, then the warm-up requests, in one session."""
    answers = {}
    with tf.Graph().as_default(), tf.compat.v1.Session() as running:
        tf.compat.v1.saved_model.load(running, ["serve"], plan["model"])

        def run(name, inputs):
            signature = plan["signatures"][name]
            return running.run(
                {key: tensor for key, (tensor, _) in signature["outputs"].items()},
                {tensor: inputs[key] for key, (tensor, _) in signature["inputs"].items()},
            )

        for name, signature in plan["signatures"].items():
            for composition, rows in plan["compositions"].items():
                outputs = run(name, {key: arrays[f"{name}/{key}"][rows] for key in signature["inputs"]})
                answers |= {f"session/{name}/{composition}/{key}": value for key, value in outputs.items()}
        for i, name in enumerate(plan["warmup"]):
            run(name, {key: arrays[f"warmup {i}/{key}"] for key in plan["signatures"][name]["inputs"]})
    return answers


def batching(function, name, inputs, plan):
    """Concurrent callers through the batching kernel."""
    largest, callers = plan["batch_sizes"][-1], plan["callers"]
    keys, output_keys = list(inputs), list(plan["signatures"][name]["outputs"])
    specs = [tf.TensorSpec([None, *inputs[key].shape[1:]], tf.constant(inputs[key]).dtype) for key in keys]

    @tf.nondifferentiable_batch_function(
        num_batch_threads=1,
        max_batch_size=largest,
        batch_timeout_micros=_WAIT_MICROSECONDS,
        allowed_batch_sizes=plan["batch_sizes"],
        max_enqueued_batches=100,
        autograph=False,
        enable_large_batch_splitting=False,
    )
    def batched(caller, *values):
        outputs = function(**dict(zip(keys, values, strict=True)))
        companions = tf.size(tf.unique(caller)[0])  # callers in this batch; padding repeats one of them
        return [outputs[key] for key in output_keys] + [tf.fill(tf.shape(caller), companions)]

    specs = [tf.TensorSpec([None], tf.int32), *specs]
    call = tf.function(lambda *values: batched(*values), input_signature=specs, autograph=False).get_concrete_function()
    call(tf.constant([0]), *(tf.constant(inputs[key][:1]) for key in keys))  # or each of the first callers would make the function ready for itself
    for _ in range(_ROUNDS):
        answers, companions = _call_at_once(call, callers, keys, inputs)
        if companions > 1 or largest == 1:
            return {
                f"batching/{name}/{caller}/{key}": value for caller, values in answers.items() for key, value in zip(output_keys, values, strict=True)
            }
    raise RuntimeError(f"The batching kernel never merged two requests of {name} in {_ROUNDS} rounds, so nothing was checked.")


def _call_at_once(call, callers, keys, inputs):
    """{caller: its outputs}, and the most callers that one batch held."""
    barrier = threading.Barrier(len(callers))
    answers, companions, errors = {}, [], []

    def run(i, caller, rows):
        try:
            values = [tf.constant(inputs[key][rows]) for key in keys]
            barrier.wait()
            *outputs, together = call(tf.fill([len(rows)], i), *values)
            answers[caller] = [value.numpy() for value in outputs]
            companions.append(together.numpy()[0])
        except Exception as error:  # raised again in the main thread
            errors.append(error)
            barrier.abort()

    threads = [threading.Thread(target=run, args=(i, *item)) for i, item in enumerate(callers.items())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return answers, max(companions)


def _pack(array):
    if array.dtype != object:
        return array
    return np.array([value + _END for value in array.reshape(-1)], dtype="S").reshape(array.shape)


def _unpack(array):
    if array.dtype.kind != "S":
        return array
    return np.array([value[:-1] for value in array.reshape(-1)], dtype=object).reshape(array.shape)


if __name__ == "__main__":
    main(sys.argv[1])
