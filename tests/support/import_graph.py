"""Who imports whom, read from the sources without running any of them."""

import ast
import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ("tfgan_suite", "pipelines", "export")
ROOTS = (*PACKAGES, "benchmarks", "examples")

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_LOADERS = {"importlib", "runpy", "subprocess"}
"""A file that imports one of these may load a module whose path it holds as text."""


@functools.cache
def modules() -> dict[str, pathlib.Path]:
    """{dotted name: file} of every source of ours; a package's name stands for its `__init__.py`."""
    found = {}
    for root in ROOTS:
        for path in sorted((ROOT / root).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.cache
def tree(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _dotted_imports(path: pathlib.Path, at_import_only: bool) -> set[str]:
    """Every dotted name that `path` imports: `a.b`, and `a.b.c` for `from a.b import c`."""
    names = set()
    pending: list[ast.AST] = [tree(path)]
    while pending:
        node = pending.pop()
        if at_import_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise AssertionError(f"{path.relative_to(ROOT)}:{node.lineno}: relative import; write the whole path")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        pending += ast.iter_child_nodes(node)
    return names


def _paths_as_text(path: pathlib.Path) -> set[str]:
    """Dotted string literals, which is how a lazy table names what it loads."""
    return {n.value for n in ast.walk(tree(path)) if isinstance(n, ast.Constant) and isinstance(n.value, str) and _DOTTED.fullmatch(n.value)}


def own(path: pathlib.Path, at_import_only: bool = False) -> set[str]:
    """The modules of ours that `path` imports: lazily too, and through a literal table of paths, unless `at_import_only`."""
    names = _dotted_imports(path, at_import_only)
    found = {_nearest(name) for name in names}
    if not at_import_only and {name.partition(".")[0] for name in names} & _LOADERS:
        found |= {name for name in _paths_as_text(path) if name in modules()}
    return found - {""}


def _nearest(name: str) -> str:
    """The module that holds `name`: `a.b` for the function `a.b.c`; empty when it is not ours."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name


def others(path: pathlib.Path, at_import_only: bool = False) -> set[str]:
    """The dotted names that `path` imports from neither us nor the standard library."""
    names = _dotted_imports(path, at_import_only)
    if not at_import_only and {name.partition(".")[0] for name in names} & _LOADERS:
        names |= {name for name in _paths_as_text(path) if name.partition(".")[0] in ("tensorflow_addons", "tensorflow_gan")}
    return {name for name in names if not _nearest(name) and name.partition(".")[0] not in sys.stdlib_module_names}


def with_parents(name: str) -> set[str]:
    """Importing `a.b.c` also runs `a` and `a.b`."""
    parts = name.split(".")
    return {".".join(parts[:i]) for i in range(1, len(parts) + 1)} & modules().keys()


def cycles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The first cycle met from each node, as a path that ends where it begins; empty for an acyclic graph."""
    found, done = [], set()

    def visit(node: str, path: list[str]) -> None:
        if node in path:
            found.append(path[path.index(node) :] + [node])
        elif node not in done:
            for successor in sorted(edges.get(node, ())):
                visit(successor, path + [node])
            done.add(node)

    for node in sorted(edges):
        visit(node, [])
    return found
