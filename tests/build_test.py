"""BUILD, MODULE.bazel and the requirement files say what the sources say. Needs no Bazel: a BUILD file is read as the Python subset that it is.

When an import is added the failing test prints the lines that BUILD should hold.
"""

import ast
import functools
import pathlib
import re
import tomllib

import import_graph
import pytest
from packaging import requirements as packaging_requirements
from packaging import utils as packaging_utils
from packaging import version as packaging_version

ROOT = import_graph.ROOT
DISTRIBUTIONS = {
    "absl": "absl_py",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "keras": "keras",
    "kubernetes_validate": "kubernetes_validate",
    "matplotlib": "matplotlib",
    "ml_collections": "ml_collections",
    "ml_dtypes": "ml_dtypes",
    "numpy": "numpy",
    "packaging": "packaging",
    "PIL": "pillow",
    "onnxruntime": "onnxruntime",
    "playwright": "playwright",
    "prometheus_client": "prometheus_client",
    "pytest": "pytest",
    "requests": "requests",
    "scipy": "scipy",
    "tensorflow": "tensorflow",
    "tensorflow_addons": "tensorflow_addons",
    "tensorflow_datasets": "tfds_nightly",
    "tensorflow_gan": "tensorflow_gan",
    "tensorflow_serving": "tensorflow_serving_api",
    "tf2onnx": "tf2onnx",
    "waitress": "waitress",
    "werkzeug": "werkzeug",
    "yaml": "pyyaml",
}
"""{what is imported: the distribution that has it}, as `@pypi` spells it."""
UNDECLARED = {"tensorflow_gan": {"setuptools"}, "tfds_nightly": {"importlib_resources"}}
"""What a distribution imports without requiring it: tensorflow-hub, below TF-GAN, reads pkg_resources."""


class Target:
    """One rule of BUILD: `kind` (py_library, py_test, ...), `name`, and the evaluated attributes."""

    def __init__(self, kind: str, attributes: dict):
        self.kind, self.attributes, self.name = kind, attributes, attributes["name"]

    def labels(self, attribute: str) -> list[str]:
        return [value for value in self.attributes.get(attribute, []) if value[0] in ":@"]

    def files(self, attribute: str = "srcs") -> list[str]:
        return [value for value in self.attributes.get(attribute, []) if value[0] not in ":@"]


def glob(include: list[str], exclude: list[str] = (), allow_empty: bool = False) -> list[str]:
    def matches(patterns):
        return {
            path.relative_to(ROOT).as_posix()
            for pattern in patterns
            for path in ROOT.glob(pattern)
            if path.is_file() and "__pycache__" not in path.parts
        }

    found = sorted(matches(include) - matches(exclude))
    assert found or allow_empty, f"glob({include}, exclude = {exclude}) matches nothing"
    return found


def evaluate(node: ast.expr, names: dict):
    """A BUILD expression: constants, lists, their sums, names bound above, and glob."""
    match node:
        case ast.Constant():
            return node.value
        case ast.List():
            return [evaluate(item, names) for item in node.elts]
        case ast.Name():
            return names[node.id]
        case ast.BinOp(op=ast.Add()):
            return evaluate(node.left, names) + evaluate(node.right, names)
        case ast.Call(func=ast.Name(id="glob")):
            return glob(*[evaluate(a, names) for a in node.args], **{k.arg: evaluate(k.value, names) for k in node.keywords})
    raise AssertionError(f"BUILD:{node.lineno}: {ast.unparse(node)} is not in the subset that this test reads")


@functools.cache
def targets() -> dict[str, Target]:
    names, found, loaded = {}, {}, {"package", "exports_files", "filegroup"}
    for statement in ast.parse((ROOT / "BUILD").read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                names[name] = evaluate(value, names)
            case ast.Expr(value=ast.Call(func=ast.Name(id="load"), args=args)):
                loaded |= {evaluate(a, names) for a in args[1:]}
            case ast.Expr(value=ast.Call(func=ast.Name(id=kind), keywords=keywords)):
                assert kind in loaded, f"BUILD:{statement.lineno}: {kind} is not loaded"
                if kind not in ("package", "exports_files"):
                    target = Target(kind, {k.arg: evaluate(k.value, names) for k in keywords})
                    assert target.name not in found, f"two targets are called {target.name}"
                    found[target.name] = target
            case _:
                assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant), f"BUILD:{statement.lineno}"
    return found


def python_targets() -> list[Target]:
    return [target for target in targets().values() if target.kind.startswith("py_")]


def sources() -> set[str]:
    roots = [root for root in (*import_graph.ROOTS, "tests") if (ROOT / root).is_dir()]
    return {path.relative_to(ROOT).as_posix() for root in roots for path in (ROOT / root).rglob("*.py")}


@functools.cache
def owners() -> dict[str, list[str]]:
    """{file: the names of the Python targets it is a source of, or of the file groups that are}."""
    found: dict[str, list[str]] = {}
    compiled_in = {label[1:] for target in python_targets() for label in target.labels("srcs")}
    for target in targets().values():
        if target.kind.startswith("py_") or target.name in compiled_in:
            for file in target.files():
                found.setdefault(file, []).append(target.name)
    return found


def test_every_source_exists_and_every_file_has_exactly_one_target():
    assert not [file for file in owners() if not (ROOT / file).is_file()]
    assert {file: names for file, names in owners().items() if len(names) > 1} == {}
    assert sources() - owners().keys() == set()


def test_every_test_file_is_run():
    tests = {file for target in targets().values() if target.kind == "py_test" for file in target.files()}
    assert tests == {file for file in sources() if file.endswith("_test.py")}


def test_a_test_has_the_golden_vectors_it_reads():
    for target in targets().values():
        if target.kind == "py_test":
            reads = any('"golden"' in (ROOT / file).read_text(encoding="utf-8") for file in target.files() if file != "tests/build_test.py")
            assert (":golden" in target.labels("data")) == reads, target.name


@functools.cache
def lock() -> dict[str, str]:
    """{normalised name: version} of the lock; the first of two pins whose markers exclude each other."""
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)(.*)$", (ROOT / "requirements_lock.txt").read_text(encoding="utf-8"), re.MULTILINE)
    return {packaging_utils.canonicalize_name(name): version for name, version, _ in reversed(pins)}


def test_every_label_resolves():
    unknown = []
    for target in targets().values():
        for label in [label for attribute in ("srcs", "deps", "data") for label in target.labels(attribute)]:
            pip = label.removeprefix("@pypi//")
            known = (
                packaging_utils.canonicalize_name(pip) in lock() and pip == pip.lower().replace("-", "_") if pip != label else label[1:] in targets()
            )
            unknown += [] if known else [f"{target.name}: {label}"]
    assert not unknown


def file_imports(file: str) -> tuple[set[str], set[str]]:
    """The files of ours, and the distributions, that a source needs when it runs."""
    path = ROOT / file
    ours = {parent for name in import_graph.own(path) for parent in import_graph.with_parents(name)}
    files = {import_graph.modules()[name].relative_to(ROOT).as_posix() for name in ours}
    distributions = set()
    for name in import_graph.others(path):
        support = f"tests/support/{name.partition('.')[0]}.py"
        if (ROOT / support).is_file():
            files.add(support)
            continue
        roots = [root for root in DISTRIBUTIONS if name == root or name.startswith(root + ".")]
        assert roots, f"{file} imports {name}: add its distribution to DISTRIBUTIONS here"
        distributions.add(DISTRIBUTIONS[roots[0]])
    if any(isinstance(n, ast.Attribute) and ast.unparse(n) == "tf.summary" for n in ast.walk(import_graph.tree(path))):
        distributions.add("tensorboard")  # TensorFlow imports it when a summary is written, and does not require it
    if file.endswith("_test.py"):
        distributions.add("pytest")
        files |= {(folder / "conftest.py").relative_to(ROOT).as_posix() for folder in path.parents if (folder / "conftest.py").is_file()}
    return files, distributions


def expected_deps(target: Target) -> list[str]:
    files, distributions = set(target.files()), set()
    for label in target.labels("srcs"):
        files |= set(targets()[label[1:]].files())
    own = set(files)
    for file in sorted(own):
        imported, packages = file_imports(file)
        files |= imported
        distributions |= packages
    for name in sorted(distributions):
        distributions |= UNDECLARED.get(name, set())
    return sorted({f":{owner}" for file in files - own for owner in owners().get(file, [f"(a target for {file})"])}) + sorted(
        f"@pypi//{name}" for name in distributions
    )


@pytest.mark.parametrize("name", sorted(target.name for target in python_targets()))
def test_the_deps_of_a_target_are_what_its_sources_import(name):
    target = targets()[name]
    expected = expected_deps(target)
    lines = "\n".join(f'        "{label}",' for label in expected)
    assert target.attributes.get("deps", []) == expected, f"BUILD: {name} should have\n    deps = [\n{lines}\n    ],"


def test_targets_have_no_cycle():
    edges = {target.name: {label[1:] for label in target.labels("deps") if label[0] == ":"} for target in targets().values()}
    assert not import_graph.cycles(edges)


@functools.cache
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_console_script_has_a_binary_of_its_own_module():
    binaries = {target.name: target.files() for target in targets().values() if target.kind == "py_binary" and "examples/" not in target.files()[0]}
    scripts = {name: [entry.partition(":")[0].replace(".", "/") + ".py"] for name, entry in project()["scripts"].items()}
    assert binaries == scripts


def test_a_console_script_is_a_function_without_arguments_that_running_the_file_calls_too():
    for entry in project()["scripts"].values():
        module, _, function = entry.partition(":")
        body = import_graph.tree(import_graph.modules()[module]).body
        found = [n for n in body if isinstance(n, ast.FunctionDef) and n.name == function]
        assert len(found) == 1 and not ast.unparse(found[0].args), entry
        assert ast.unparse(body[-1]) == f"if __name__ == '__main__':\n    {function}()", entry


def test_bazel_uses_the_locked_requirements_and_this_python():
    calls = {ast.unparse(n.func): n for n in ast.walk(ast.parse((ROOT / "MODULE.bazel").read_text(encoding="utf-8"))) if isinstance(n, ast.Call)}
    given = {name: {k.arg: getattr(k.value, "value", None) for k in call.keywords} for name, call in calls.items()}
    assert (ROOT / given["pip.parse"]["requirements_lock"].removeprefix("//:")).is_file()
    assert given["pip.parse"]["python_version"] == given["python.toolchain"]["python_version"] == "3.11"
    assert f">={given['python.toolchain']['python_version']}" in project()["requires-python"]
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", (ROOT / ".bazelversion").read_text(encoding="utf-8"))


def pinned(path: pathlib.Path) -> dict[str, str]:
    lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    found = [packaging_requirements.Requirement(line) for line in lines if line]
    assert all(len(r.specifier) == 1 and next(iter(r.specifier)).operator == "==" for r in found), f"{path.name} pins with =="
    return {packaging_utils.canonicalize_name(r.name): next(iter(r.specifier)).version for r in found}


def test_the_pins_the_ranges_and_the_lock_agree():
    pins = pinned(ROOT / "requirements.txt")
    extras = project()["optional-dependencies"]
    ranges = [packaging_requirements.Requirement(r) for r in project()["dependencies"] + extras["onnx"] + extras["dev"]]
    assert {packaging_utils.canonicalize_name(r.name) for r in ranges} == pins.keys()
    assert not [str(r) for r in ranges if packaging_version.Version(pins[packaging_utils.canonicalize_name(r.name)]) not in r.specifier]
    assert {name: lock().get(name) for name in pins} == pins


def test_the_lock_has_a_hash_for_every_pin_and_names_no_index():
    text = (ROOT / "requirements_lock.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE))
    assert not [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links", text)


def test_the_packages_import_only_what_the_project_requires():
    required = project()["dependencies"] + project()["optional-dependencies"]["onnx"]
    direct = {packaging_utils.canonicalize_name(packaging_requirements.Requirement(r).name) for r in required}
    for file in sorted(file for file in sources() if not file.startswith("tests/")):
        assert {packaging_utils.canonicalize_name(name) for name in file_imports(file)[1]} <= direct, file
