"""The house keeps its shape: layers, no circle, a light door, and nobody outside it named."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("replica", "numerics", "simulate")  # a floor may import itself and the floors before it
FILES = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
HEAVY = ("torch", "numba", "scipy", "matplotlib", "sklearn", "xarray", "h5py", "flint", "rich")
SEEN_BY_NUMERICS = ("replica.symbols", "replica.nodes", "replica.theory")
THEORY_ALLOWED = tuple(  # may look below
    f"simulate.{name}"
    for name in ("algorithms", "report", "conditional", "trajectories", "escapes", "plot", "reproduce", "learning_curve", "cli")
)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {path: name_of(path) for path in FILES}


def imports(tree: ast.AST) -> set[str]:
    """Every module named by an import anywhere below `tree`, inside functions too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the floor they reach"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def loaded_from(path: Path) -> set[str]:
    """Modules of the project that this file imports; `from package import module` means the module."""
    known = set(NAMES.values())
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & known
            if inner - known:
                found |= {node.module} & known
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
    return found - {NAMES[path]}


def is_under(name: str, houses: tuple[str, ...]) -> bool:
    return any(name == house or name.startswith(house + ".") for house in houses)


@pytest.mark.parametrize("path", FILES, ids=NAMES.get)
def test_imports_point_down(path):
    here = FLOORS.index(NAMES[path].split(".")[0])
    up = {name for name in imports(ast.parse(path.read_text())) if name.split(".")[0] in FLOORS[here + 1 :]}
    assert not up, f"{NAMES[path]} imports from a floor above: {sorted(up)}"


def test_no_circle():
    TopologicalSorter({NAMES[path]: loaded_from(path) for path in FILES}).prepare()  # raises CycleError, which names the circle


def test_numerics_knows_theories_and_nothing_else_of_replica():
    for path in FILES:
        if is_under(NAMES[path], ("numerics",)):
            foreign = {name for name in loaded_from(path) if is_under(name, ("replica",)) and not is_under(name, SEEN_BY_NUMERICS)}
            assert not foreign, f"{NAMES[path]} knows {sorted(foreign)}"


def test_finite_systems_never_see_a_derived_equation():
    for path in FILES:
        if is_under(NAMES[path], ("simulate",)) and not is_under(NAMES[path], THEORY_ALLOWED):
            seen = {name for name in loaded_from(path) if is_under(name, ("replica.derive", "replica.theory", "replica.tree", "numerics"))}
            assert not seen, f"{NAMES[path]} sees {sorted(seen)}"


def test_replica_uses_only_symbols():
    for path in FILES:
        if is_under(NAMES[path], ("replica",)):
            heavy = {name for name in imports(ast.parse(path.read_text())) if name.split(".")[0] in HEAVY}
            assert not heavy, f"{NAMES[path]} imports {sorted(heavy)}"


@pytest.mark.parametrize("module", ["replica", "simulate.cli"])
def test_the_door_is_light(module):
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {set(HEAVY) - {'flint'}!r}))"  # SymPy loads flint by itself
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


BEHIND_THE_PARSER = ("replica.nodes", "replica.tree", "replica.passes", "replica.families", "replica.law")  # no text of a user gets here
CODE_RUNNERS = {"eval", "exec", "compile", "sympify", "parse_expr", "lambdify", "__import__"}


def test_symbolic_floor_never_runs_text():
    """No call in replica/ can turn a string into code.  SymPy's sympify is allowed where it refuses strings, and behind the parser."""
    for path in FILES:
        if not is_under(NAMES[path], ("replica",)):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                method_of_re = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "re"
                strict = any(key.arg == "strict" and getattr(key.value, "value", False) is True for key in node.keywords)
                if called in CODE_RUNNERS and not method_of_re and not (called == "sympify" and strict):
                    harmless = is_under(NAMES[path], BEHIND_THE_PARSER) and called == "sympify"
                    assert harmless, f"{NAMES[path]}:{node.lineno} calls {called}"


def test_files_stay_short():
    long = {NAMES[path]: lines for path in FILES if (lines := len(path.read_text().splitlines())) > 400}
    assert not long, f"files one would not read in one go: {long}"


def test_every_module_says_what_it_is():
    silent = [NAMES[path] for path in FILES if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


@pytest.mark.parametrize("folder", ["replica", "numerics", "simulate", "tests", "notebooks", "benchmarks", ".ci"])
def test_no_private_path_is_named(folder):
    private = ("/work" + "/", "shared" + "/theory", "/home" + "/", "/root" + "/")
    for path in (ROOT / folder).rglob("*"):
        if path.is_file() and path.suffix in {"", ".py", ".toml", ".md", ".csv", ".json"} and "__pycache__" not in path.parts:
            text = path.read_text(errors="replace")
            assert not [word for word in private if word in text], path
