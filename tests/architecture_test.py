"""The house's rules, checked on the sources: who may import whom, and that importing a module does nothing but define names.

The table is the one of docs/architecture.md, "Who may import whom". A change here is a change of the architecture: change that page too.
"""

import ast
import pathlib
import tomllib

import import_graph
import pytest

SPEC, HOST_AUGMENT, COMPAT = "pipelines.spec", "pipelines.augment", "tfgan_suite.compat"
ENDPOINT, RUN, TERM = "tfgan_suite.core.endpoint", "tfgan_suite.core.run", "tfgan_suite.losses.term"
PROCESS = "tfgan_suite.cli.process"
OPS, AUGMENT, LOSSES, LAYERS, NETWORKS = (f"tfgan_suite.{room}" for room in ("ops", "augment", "losses", "layers", "networks"))
CORE, MODELS, METRICS, EXPERIMENT, REGISTRY = (f"tfgan_suite.{room}" for room in ("core", "models", "metrics", "experiment", "registry"))
CALLBACKS, STUDIES, ANALYSIS, WORKDIR, RUNNER, CLI = (
    f"tfgan_suite.{room}" for room in ("callbacks", "studies", "analysis", "workdir", "runner", "cli")
)

ALLOWED = {
    # Leaves.
    SPEC: (),
    ENDPOINT: (),
    RUN: (),
    TERM: (),
    COMPAT: (),
    PROCESS: (),
    # Tensors.
    OPS: (),
    HOST_AUGMENT: (COMPAT, OPS),
    AUGMENT: (OPS,),
    LOSSES: (TERM, OPS, AUGMENT, COMPAT),
    LAYERS: (OPS,),
    NETWORKS: (LAYERS, OPS),
    # What a GAN is.
    CORE: (SPEC, ENDPOINT, RUN, TERM, f"{AUGMENT}.policy", f"{LAYERS}.spectral_norm", f"{LAYERS}.batch_norm", OPS),
    EXPERIMENT: (SPEC,),
    MODELS: (CORE, ENDPOINT, RUN, NETWORKS, LAYERS, LOSSES, TERM, AUGMENT, OPS, EXPERIMENT, SPEC, HOST_AUGMENT),
    REGISTRY: (EXPERIMENT, SPEC, HOST_AUGMENT, CORE, MODELS, LOSSES, AUGMENT),  # all but the first through its literal tables
    # Around it.
    "pipelines": (SPEC, HOST_AUGMENT, COMPAT, OPS, PROCESS),
    METRICS: (OPS, COMPAT),
    CALLBACKS: (CORE, METRICS, EXPERIMENT),
    STUDIES: (EXPERIMENT, REGISTRY, CORE, METRICS, TERM, LOSSES, AUGMENT, OPS),
    ANALYSIS: (CORE, METRICS, LAYERS, OPS),
    WORKDIR: (EXPERIMENT, REGISTRY, CORE),
    "export": (ENDPOINT, OPS, PROCESS),
    # Composition roots.
    "export.main": ("export", REGISTRY, RUNNER, PROCESS),
    RUNNER: (SPEC, ENDPOINT, RUN, LAYERS, OPS, CORE, EXPERIMENT, REGISTRY, "pipelines", METRICS, CALLBACKS, WORKDIR),
    CLI: (SPEC, ENDPOINT, RUN, OPS, CORE, EXPERIMENT, REGISTRY, "pipelines", METRICS, CALLBACKS, STUDIES, ANALYSIS, WORKDIR, RUNNER, PROCESS),
    "examples": (),
}
"""{room: the rooms and modules it may import besides itself}. A module belongs to the longest room that begins its name; lazy imports count."""

FORBIDDEN_NAMES = {"utils", "util", "misc", "common", "helper", "helpers"}
ACTING_ROOTS = {"exec", "importlib", "keras", "open", "os", "print", "random", "setattr", "subprocess", "tensorflow", "tf", "time", "warnings"}
"""A call rooted in one of these at module level computes, allocates or changes the process."""
INERT_CALLS = {"os.path.join", "tf.TensorSpec"}

OURS = {name: path for name, path in import_graph.modules().items() if name.partition(".")[0] in import_graph.PACKAGES}


def room(name: str) -> str:
    while name and name not in ALLOWED:
        name = name.rpartition(".")[0]
    return name


def short(name: str) -> str:
    return name.removeprefix("tfgan_suite.")


def at(path: pathlib.Path, node: ast.AST | None = None) -> str:
    return f"{path.relative_to(import_graph.ROOT)}:{getattr(node, 'lineno', 1)}"


def test_the_documented_table_is_the_one_that_is_checked():
    page = (import_graph.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = page.partition("## Who may import whom")[2].split("```")[1].strip()
    documented = dict(line.split(maxsplit=1) for line in block.splitlines())
    assert documented == {short(name): ", ".join(map(short, allowed)) or "nothing" for name, allowed in ALLOWED.items()}


def test_every_import_of_ours_is_an_allowed_edge():
    wrong = []
    for name, path in import_graph.modules().items():
        here = room(name)
        for imported in import_graph.own(path) if here else ():
            there = room(imported)
            if there and there != here and there not in ALLOWED[here] and imported not in ALLOWED[here]:
                wrong.append(f"{at(path)} imports {imported}; {here} may import: {', '.join(ALLOWED[here]) or 'nothing of ours'}")
    assert not wrong, "\n".join(sorted(wrong))


def test_every_module_of_the_packages_belongs_to_a_room():
    bare = {name for name, path in OURS.items() if path.name == "__init__.py"}
    assert not {name for name in OURS if not room(name)} - bare


def test_a_variant_never_imports_another_variant():
    for name, path in OURS.items():
        if room(name) == MODELS:
            assert not {m for m in import_graph.own(path) if room(m) == MODELS} - {name, MODELS}, name


def test_imports_have_no_cycle():
    edges = {name: import_graph.own(path) - {name} for name, path in OURS.items()}
    assert not import_graph.cycles(edges)


def test_tf_gan_and_addons_are_loaded_in_compat_alone():
    for name, path in OURS.items():
        if name != COMPAT:
            assert not {n for n in import_graph.others(path) if n.partition(".")[0] in ("tensorflow_gan", "tensorflow_addons", "tf_keras")}, name


def test_tfds_is_imported_where_it_is_used_because_it_takes_seconds():
    slow = {name for name, path in OURS.items() if any(n.startswith("tensorflow_datasets") for n in import_graph.others(path, at_import_only=True))}
    for name, path in OURS.items():
        assert not import_graph.own(path, at_import_only=True) & slow, f"{name} imports {slow}, a builder and with it TFDS; do so in the function"
    assert slow <= {"pipelines.captioned_shapes"}, "only a builder, whose base class is TFDS's, may import it at its top"


def test_a_command_imports_tensorflow_only_after_the_process_settings():
    scripts = tomllib.loads((import_graph.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    for entry in scripts.values():
        reached, pending = set(), [entry.partition(":")[0]]
        while pending:
            name = pending.pop()
            reached.add(name)
            heavy = {n for n in import_graph.others(OURS[name], at_import_only=True) if n.partition(".")[0] in ("tensorflow", "keras")}
            assert not heavy, f"{entry} imports {name}, which imports {', '.join(heavy)}"
            pending += {p for n in import_graph.own(OURS[name], at_import_only=True) for p in import_graph.with_parents(n)} - reached


def test_examples_need_tensorflow_alone():
    for name, path in import_graph.modules().items():
        if room(name) == "examples":
            assert {n.partition(".")[0] for n in import_graph.others(path)} <= {"tensorflow", "numpy", "PIL"}, name


def test_no_file_is_named_after_nothing():
    assert not [name for name in import_graph.modules() if set(name.split(".")[-1].split("_")) & FORBIDDEN_NAMES]


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def evaluated_on_import(body: list[ast.stmt]):
    """Every expression node that runs when the module is imported: not the bodies of functions and lambdas."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += node.decorator_list + node.args.defaults + [d for d in node.args.kw_defaults if d]
        elif not isinstance(node, ast.Lambda):
            pending += ast.iter_child_nodes(node)


def defines_names(statement: ast.stmt, defines_flags: bool) -> bool:
    """Whether a statement at module level only binds names."""
    if isinstance(statement, ast.Expr):
        value = statement.value
        is_flag = isinstance(value, ast.Call) and dotted(value.func).partition(".")[0] in ("flags", "config_flags")
        return isinstance(value, ast.Constant) or (defines_flags and is_flag)
    if isinstance(statement, ast.If):
        return ast.unparse(statement.test) in ("__name__ == '__main__'", "typing.TYPE_CHECKING")
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.FunctionDef | ast.ClassDef)


def test_importing_a_module_does_nothing_but_define_names():
    wrong = []
    for name, path in OURS.items():
        body = import_graph.tree(path).body
        wrong += [at(path, s) for s in body if not defines_names(s, room(name) == CLI)]
        for node in evaluated_on_import([s for s in body if not isinstance(s, ast.If)]):
            if isinstance(node, ast.Call) and dotted(node.func).partition(".")[0] in ACTING_ROOTS and dotted(node.func) not in INERT_CALLS:
                wrong.append(f"{at(path, node)} calls {dotted(node.func)} on import")
    assert not wrong, "\n".join(wrong)


def test_only_the_process_settings_change_the_environment():
    wrong = []
    for name, path in OURS.items():
        for node in ast.walk(import_graph.tree(path)) if name != PROCESS else ():
            writes = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and dotted(node.value) == "os.environ"
            calls = isinstance(node, ast.Call) and dotted(node.func) in ("os.environ.setdefault", "os.environ.update", "os.putenv")
            if writes or calls:
                wrong.append(at(path, node))
    assert not wrong, "\n".join(wrong)


def test_every_public_module_class_and_function_says_what_it_is_for():
    wrong = []
    for path in OURS.values():
        module = import_graph.tree(path)
        public = [n for n in module.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_") and n.name != "main"]
        wrong += [f"{at(path, n)} {n.name}" for n in public if not ast.get_docstring(n)]
        if module.body and not ast.get_docstring(module):
            wrong.append(f"{at(path)} the module")
    assert not wrong, "\n".join(wrong)


def names_bound_in(path: pathlib.Path) -> dict[str, ast.AST]:
    bound: dict[str, ast.AST] = {}
    for statement in import_graph.tree(path).body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            bound[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            bound |= {target.id: statement.value for target in statement.targets if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            bound[statement.target.id] = statement.value
    return bound


VARIANTS = sorted(name for name, path in OURS.items() if room(name) == MODELS and path.name != "__init__.py")


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_has_a_config_and_the_presets_that_every_variant_has(name):
    bound = names_bound_in(OURS[name])
    assert isinstance(bound.get("Config"), ast.ClassDef)
    assert isinstance(bound.get("PRESETS"), ast.Dict)
    assert {"debug", "demo"} <= {key.value for key in bound["PRESETS"].keys if isinstance(key, ast.Constant)}
