"""Rules on the files of the repository themselves."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = (
    "requirements.txt",
    "requirements-demo.txt",
    "requirements-evaluation.txt",
    "requirements-dev.txt",
)
# Too large for every installation, so that the lock leaves it out.
OPTIONAL = ("requirements-embeddings.txt",)
# Runs or is found by name alone, so that no line of ours imports it.
NEVER_IMPORTED = {"gunicorn", "hiredis", "psycopg2-binary"}
ENV_READERS = {
    "text",
    "required",
    "web_address",
    "flag",
    "number",
    "integer",
    "words",
    "path",
    "optional_path",
    "folder",
    "choice",
    "time_zone",
}


@cache
def tracked_files() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of the project's files")
    return tuple(ROOT / name for name in listed.stdout.decode().split("\0") if name)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def modules(*folders: str) -> Iterator[Path]:
    """The Python files below the folders, migrations left out."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def imported_names(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def called_name(node: ast.AST) -> str:
    """The last part of a called name: ``bucket`` for ``assignment.bucket(...)``, else nothing."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def named(path: Path, line: int | None = None) -> str:
    return f"{path.relative_to(ROOT)}" + (f":{line}" if line else "")


# --- Requirements --------------------------------------------------------------------------------


def requirements(file: str) -> dict[str, str]:
    """Package name, normalised, to the whole line that asks for it."""
    lines = [line for line in (ROOT / file).read_text().splitlines() if line and line[0] not in "#-"]
    return {re.split(r"[=<>~!\[ ]", line)[0].lower().replace("_", "-"): line for line in lines}


@pytest.mark.parametrize("file", [*REQUIREMENTS, *OPTIONAL])
def test_pins_every_requirement_exactly_and_says_what_it_is_for(file: str) -> None:
    for line in requirements(file).values():
        assert re.fullmatch(r"[\w.-]+==[\w.]+  # .+", line), line


@pytest.mark.parametrize("file", REQUIREMENTS)
def test_locks_what_the_requirements_ask_for(file: str) -> None:
    locked = {line.split("  #")[0].lower() for line in requirements("requirements-lock.txt").values()}
    asked = {line.split("  #")[0].lower() for line in requirements(file).values()}
    assert {line.replace("_", "-") for line in asked} <= {line.replace("_", "-") for line in locked}


def used_packages() -> set[str]:
    """Packages that our code imports or the settings name."""
    words = set()
    for path in [*modules("apps", "recommender_site"), ROOT / "manage.py"]:
        words |= imported_names(path)
        if path.parent.name == "settings":
            words |= {
                node.value
                for node in ast.walk(tree_of(path))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    owners = packages_distributions()
    found = {owner for word in words for owner in owners.get(word.split(".")[0], ())}
    return {name.lower().replace("_", "-") for name in found}


def test_asks_for_no_runtime_package_that_nothing_uses() -> None:
    assert set(requirements("requirements.txt")) - used_packages() - NEVER_IMPORTED == set()


def test_names_every_package_it_imports() -> None:
    declared = {
        name for file in (*REQUIREMENTS, *OPTIONAL) for name in requirements(file) if "dev" not in file
    }
    assert used_packages() - declared == set()


# --- Environment ---------------------------------------------------------------------------------


def env_calls() -> dict[str, ast.Call]:
    """Variable name to the call in the settings, or in env.py itself, that reads it."""
    found = {}
    for path in modules("apps", "recommender_site"):
        for node in ast.walk(tree_of(path)):
            is_read = called_name(node) in ENV_READERS | {"db_url"}
            if isinstance(node, ast.Call) and is_read and node.args:
                name = getattr(node.args[0], "value", None)
                if isinstance(name, str) and name.isupper():
                    found[name] = node
    return found


def example_lines() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = [re.fullmatch(r"#([A-Z][A-Z0-9_]+)=(.*)", line) for line in lines]
    return {pair[1]: pair[2] for pair in pairs if pair}


def compose_variables() -> set[str]:
    """What docker-compose.yml takes from .env for itself."""
    return set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))


def test_lists_in_the_example_exactly_the_variables_that_are_read() -> None:
    assert set(example_lines()) == set(env_calls()) | compose_variables()


def test_shows_in_the_example_the_defaults_of_the_code() -> None:
    for name, call in env_calls().items():
        if len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
            default = call.args[1].value
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert example_lines()[name] == shown, name


def test_comments_on_every_variable_of_the_example() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    for before, line in pairwise(lines):
        if re.match("#[A-Z_]+=", line) and not line.startswith("#EMAIL_"):
            assert before.startswith("# "), line


def test_reads_the_environment_in_one_module_only() -> None:
    for path in modules("apps", "recommender_site"):
        if path != ROOT / "recommender_site" / "env.py":
            reads = re.findall(r"os\.getenv|os\.environ(?!\.setdefault\()", path.read_text())
            assert not reads, named(path)


# --- What the repository must not hold -----------------------------------------------------------


def test_names_no_registry_host_and_carries_no_minified_script() -> None:
    hosts = [
        ".".join(parts)
        for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("debian", "org"))
    ]
    forbidden = re.compile("|".join(map(re.escape, [*hosts, ".min" + ".js", "--index" + "-url"])))
    for path in tracked_files():
        assert not forbidden.search(path.name), named(path)
        if path.is_file():
            found = forbidden.search(path.read_text(errors="replace"))
            assert found is None, f"{named(path)} holds {found}"


def test_imports_nothing_that_runs_code_from_data() -> None:
    for path in modules("apps", "recommender_site", "benchmarks", "tests"):
        roots = {name.split(".")[0] for name in imported_names(path)}
        assert not roots & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}, named(
            path
        )


def test_calls_bucket_in_experiments_only() -> None:
    for path in modules("apps", "recommender_site"):
        is_home = path.is_relative_to(ROOT / "apps/experiments")
        if is_home or path == ROOT / "apps/algorithms/assignment.py":
            continue
        for node in ast.walk(tree_of(path)):
            assert called_name(node) != "bucket", named(path, getattr(node, "lineno", None))


# --- Sizes ---------------------------------------------------------------------------------------


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef, source: list[str]) -> int:
    """Lines of a function without its docstring, blank lines and comments."""
    lines = set(range(function.lineno, (function.end_lineno or 0) + 1))
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= set(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    texts = [source[number - 1].strip() for number in lines]
    return sum(bool(text) and not text.startswith("#") for text in texts)


def test_keeps_every_module_within_400_lines() -> None:
    for path in modules("apps", "recommender_site", "benchmarks", "tests"):
        count = len(path.read_text().splitlines())
        assert count <= 400, f"{named(path)} has {count} lines: split it by noun"


def test_keeps_every_function_within_40_lines() -> None:
    for path in modules("apps", "recommender_site"):
        source = path.read_text().splitlines()
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = code_lines(node, source)
                assert count <= 40, f"{named(path, node.lineno)} {node.name} has {count} lines"
