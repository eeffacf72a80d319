import os

import pytest
import tensorflow as tf

from export import linter


def save(tmp_path, function, *specs):
    """A SavedModel whose one signature is `function` of float32 inputs x0, x1, ... of the given shapes (or of given TensorSpecs)."""
    module = tf.Module()
    module.state = tf.Variable(1.0)
    named = [
        tf.TensorSpec(spec.shape, spec.dtype, f"x{i}") if isinstance(spec, tf.TensorSpec) else tf.TensorSpec(spec, tf.float32, f"x{i}")
        for i, spec in enumerate(specs)
    ]
    traced = tf.function(lambda *inputs: function(module, *inputs), input_signature=named, autograph=False)
    tf.saved_model.save(module, str(tmp_path), signatures={"sample": traced})
    return str(tmp_path)


def python(x):
    return tf.ensure_shape(tf.numpy_function(lambda v: v, [x], tf.float32), [None, 2])


def jit(x):
    return tf.function(lambda v: v * 2.0, jit_compile=True)(x)


def in_a_loop(x):
    return tf.while_loop(lambda i, v: i < 2, lambda i, v: (i + 1, v + tf.random.uniform(tf.shape(v))), [0, x])[1]


def batch_norm(x):
    image = x[:, :, None, None]
    return tf.compat.v1.nn.fused_batch_norm(image, tf.ones([1]), tf.zeros([1]), is_training=True)[0][:, :, 0, 0]


def assigned(module, x):
    module.state.assign_add(1.0)
    return {"y": x * module.state}


BAD = {
    "random numbers": (lambda m, x: {"y": x + tf.random.normal(tf.shape(x))}, [[None, 2]], "RandomStandardNormal draws from hidden state"),
    "random numbers in a loop": (lambda m, x: {"y": in_a_loop(x)}, [[None, 2]], "RandomUniform draws from hidden state"),
    "a shuffle": (lambda m, x: {"y": tf.random.shuffle(x)}, [[None, 2]], "RandomShuffle draws from hidden state"),
    "Python": (lambda m, x: {"y": python(x)}, [[None, 2]], "PyFunc.* calls Python"),
    "XLA": (lambda m, x: {"y": jit(x)}, [[None, 2]], "jit_compile=True"),
    "an assignment": (assigned, [[None, 2]], "AssignAddVariableOp changes a variable"),
    "batch statistics": (lambda m, x: {"y": batch_norm(x)}, [[None, 2]], "normalises by the statistics of the batch"),
    "a scalar input": (lambda m, x, y: {"y": x * y}, [[None, 2], []], "input 'x1' is a scalar"),
    "a scalar output": (lambda m, x: {"y": x, "mean": tf.reduce_mean(x)}, [[None, 2]], "output 'mean' is a scalar"),
    "a fixed input": (lambda m, x: {"y": x}, [[4, 2]], "input 'x0' has no batch dimension"),
    "a fixed output": (lambda m, x: {"y": tf.reduce_mean(x, 0, keepdims=True)}, [[None, 2]], "output 'y' has no batch dimension"),
    "an unknown rank": (lambda m, x: {"y": x}, [tf.TensorSpec(None, tf.float32)], "input 'x0' has no known rank"),
    "no inputs": (lambda m: {"y": tf.zeros([1, 2])}, [], "it has no inputs"),
    "bfloat16": (lambda m, x: {"y": tf.cast(x, tf.bfloat16)}, [[None, 2]], "output 'y' is bfloat16, which REST cannot carry"),
    "complex numbers": (lambda m, x: {"y": x}, [tf.TensorSpec([None], tf.complex64)], "input 'x0' is complex64"),
    "bytes under a plain name": (lambda m, x: {"image": tf.strings.as_string(x)}, [[None, 2]], "string output 'image' must end in '_bytes'"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_server_would_choke_on_is_named(tmp_path, case):
    function, shapes, message = BAD[case]
    problems = linter.lint(save(tmp_path, function, *shapes))
    assert [problem for problem in problems if problem.startswith("sample: ")] == problems
    with pytest.raises(AssertionError, match=message):
        raise AssertionError("\n".join(problems))


def edit(directory, change):
    """Changes the graph in a saved file, for what TensorFlow itself would not save."""
    graph = linter.read(directory)
    change(graph)
    path = os.path.join(directory, "saved_model.pb")
    from tensorflow.core.protobuf import saved_model_pb2

    with open(path, "wb") as file:
        file.write(saved_model_pb2.SavedModel(saved_model_schema_version=1, meta_graphs=[graph]).SerializeToString())
    return directory


def rename_square(name, attribute=""):
    def change(graph):
        for function in graph.graph_def.library.function:
            for node in function.node_def:
                if node.op == "Square":
                    node.op = name
                    if attribute:
                        node.attr[attribute].type = tf.int64.as_datatype_enum

    return change


@pytest.mark.parametrize(
    "name, attribute, message",
    [
        ("Addons>ImageConnectedComponents", "", "is not an operation of stock TensorFlow"),
        ("DecodeJxl", "", "is newer than the server's"),
        ("TensorListGetItem", "Tshape", "is newer than the server's"),
    ],
)
def test_an_operation_that_the_server_does_not_have_is_named(tmp_path, name, attribute, message):
    directory = edit(save(tmp_path, lambda m, x: {"y": tf.square(x)}, [None, 2]), rename_square(name, attribute))
    (problem,) = linter.lint(directory)
    assert name in problem and message in problem


def test_a_model_without_signatures_is_refused(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    assert linter.lint(str(tmp_path)) == ["it has no signatures"]


def test_what_is_no_saved_model_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="cannot be read as a SavedModel"):
        linter.lint(str(tmp_path))
    (tmp_path / "saved_model.pb").write_bytes(b"not a protocol buffer")
    with pytest.raises(ValueError, match="SavedModel"):
        linter.lint(str(tmp_path))


def test_stateless_numbers_loops_tables_and_images_pass(published):
    assert linter.lint(published.directory) == []
