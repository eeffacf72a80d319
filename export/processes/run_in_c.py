"""Answers of an exported version from TensorFlow's C API, in a process that never imports TensorFlow's Python.

`python -I run_in_c.py plan.json` (`export.verify` writes the plan): TF_LoadSessionFromSavedModel and TF_SessionRun of the installed
package's shared library are the SavedModel loader and the session that a model server is built from.
"""

import ctypes
import importlib.util
import json
import os
import sys

import numpy as np

_END = b"."
_STRING = 7
_TYPES = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "string": _STRING,
    "int64": 9,
    "bool": 10,
    "uint32": 22,
    "uint64": 23,
}
"""numpy's name -> TF_DataType."""
_STRING_BYTES = 24
"""sizeof(TF_TString)."""


class _Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class Library:
    """The few functions of the C API used here, with their argument types."""

    def __init__(self):
        pointer, size, text, integer = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_int
        pointers, texts, ends = ctypes.POINTER(pointer), ctypes.POINTER(text), ctypes.POINTER(_Output)
        folder = importlib.util.find_spec("tensorflow").submodule_search_locations[0]
        ctypes.CDLL(os.path.join(folder, "libtensorflow_framework.so.2"), mode=ctypes.RTLD_GLOBAL)
        self._library = ctypes.CDLL(os.path.join(folder, "libtensorflow_cc.so.2"), mode=ctypes.RTLD_GLOBAL)
        dimensions = ctypes.POINTER(ctypes.c_int64)
        for name, result, arguments in (
            ("TF_NewStatus", pointer, []),
            ("TF_GetCode", integer, [pointer]),
            ("TF_Message", text, [pointer]),
            ("TF_DeleteStatus", None, [pointer]),
            ("TF_NewGraph", pointer, []),
            ("TF_NewSessionOptions", pointer, []),
            ("TF_LoadSessionFromSavedModel", pointer, [pointer, pointer, text, texts, integer, pointer, pointer, pointer]),
            ("TF_GraphOperationByName", pointer, [pointer, text]),
            ("TF_AllocateTensor", pointer, [integer, dimensions, integer, size]),
            ("TF_TensorData", pointer, [pointer]),
            ("TF_TensorByteSize", size, [pointer]),
            ("TF_NumDims", integer, [pointer]),
            ("TF_Dim", ctypes.c_int64, [pointer, integer]),
            ("TF_TensorType", integer, [pointer]),
            ("TF_DeleteTensor", None, [pointer]),
            ("TF_StringInit", None, [pointer]),
            ("TF_StringCopy", None, [pointer, text, size]),
            ("TF_StringGetDataPointer", pointer, [pointer]),
            ("TF_StringGetSize", size, [pointer]),
            ("TF_SessionRun", None, [pointer, pointer, ends, pointers, integer, ends, pointers, integer, pointer, integer, pointer, pointer]),
        ):
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name[3:], function)

    def check(self, status):
        if self.GetCode(status):
            raise RuntimeError(f"TensorFlow's C API, code {self.GetCode(status)}: {self.Message(status).decode(errors='replace')}")

    def tensor(self, array):
        """A new TF_Tensor with the values of `array`."""
        array = np.ascontiguousarray(array)
        strings = array.dtype == object
        code = _TYPES["string" if strings else array.dtype.name]
        length = array.size * _STRING_BYTES if strings else array.nbytes
        tensor = self.AllocateTensor(code, (ctypes.c_int64 * array.ndim)(*array.shape), array.ndim, length)
        data = self.TensorData(tensor)
        if strings:
            for i, value in enumerate(array.reshape(-1)):
                self.StringInit(data + i * _STRING_BYTES)
                self.StringCopy(data + i * _STRING_BYTES, value, len(value))
        else:
            ctypes.memmove(data, array.ctypes.data, length)
        return tensor

    def array(self, tensor):
        """The values of a TF_Tensor, copied."""
        shape = [self.Dim(tensor, i) for i in range(self.NumDims(tensor))]
        data, code = self.TensorData(tensor), self.TensorType(tensor)
        if code == _STRING:
            items = [data + i * _STRING_BYTES for i in range(int(np.prod(shape)))]
            strings = [ctypes.string_at(self.StringGetDataPointer(item), self.StringGetSize(item)) for item in items]
            return np.array([string + _END for string in strings], dtype="S").reshape(shape)
        dtype = {code: name for name, code in _TYPES.items()}[code]
        return np.frombuffer(ctypes.string_at(data, self.TensorByteSize(tensor)), dtype).reshape(shape)


class Session:
    """The SavedModel in `directory`, loaded for serving."""

    def __init__(self, directory):
        self._library = library = Library()
        self._graph, self._status = library.NewGraph(), library.NewStatus()
        tags = (ctypes.c_char_p * 1)(b"serve")
        self._session = library.LoadSessionFromSavedModel(
            library.NewSessionOptions(), None, os.fsencode(directory), tags, 1, self._graph, None, self._status
        )
        library.check(self._status)

    def run(self, signature, inputs):
        """{input: array} -> {output: array} of a signature of the plan."""
        library = self._library
        tensors = [library.tensor(inputs[key]) for key in signature["inputs"]]
        results = (ctypes.c_void_p * len(signature["outputs"]))()
        library.SessionRun(
            self._session,
            None,
            self._ends(signature["inputs"]),
            (ctypes.c_void_p * len(tensors))(*tensors),
            len(tensors),
            self._ends(signature["outputs"]),
            results,
            len(results),
            None,
            0,
            None,
            self._status,
        )
        library.check(self._status)
        arrays = {key: library.array(tensor) for key, tensor in zip(signature["outputs"], results, strict=True)}
        for tensor in [*tensors, *results]:
            library.DeleteTensor(tensor)
        return arrays

    def _ends(self, tensors):
        """The TF_Outputs that a plan's {key: (tensor name, type)} names."""
        ends = (_Output * len(tensors))()
        for end, (name, _) in zip(ends, tensors.values(), strict=True):
            operation, _, index = name.partition(":")
            end.operation, end.index = self._library.GraphOperationByName(self._graph, operation.encode()), int(index)
        return ends


def main(path):
    with open(path, encoding="utf-8") as file:
        plan = json.load(file)
    with np.load(plan["inputs"]) as file:
        arrays = {key: _unpack(value) for key, value in file.items()}
    session, answers = Session(plan["model"]), {}
    for name, signature in plan["signatures"].items():
        for composition, rows in plan["compositions"].items():
            outputs = session.run(signature, {key: arrays[f"{name}/{key}"][rows] for key in signature["inputs"]})
            answers |= {f"c_api/{name}/{composition}/{key}": value for key, value in outputs.items()}
    if "tensorflow" in sys.modules:
        raise RuntimeError("TensorFlow's Python was imported, so this was no check of the C API alone.")
    np.savez(plan["outputs"], **answers)


def _unpack(array):
    if array.dtype.kind != "S":
        return array
    return np.array([value[: -len(_END)] for value in array.reshape(-1)], dtype=object).reshape(array.shape)


if __name__ == "__main__":
    main(sys.argv[1])
