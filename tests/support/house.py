"""Reads the modules of `kt` as trees, for the tests of the house rules. It imports none of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]


@attrs.frozen
class Module:
    """One module: its dotted name and its text as a tree."""

    name: str
    text: str
    tree: ast.Module = attrs.field(eq=False, repr=False)

    @property
    def is_package(self) -> bool:
        """Whether it is the `__init__` of a folder."""
        return (ROOT / Path(*self.name.split("."))).is_dir()

    @property
    def lines(self) -> int:
        """How long it is."""
        return self.text.count("\n")


def parse(name: str, text: str) -> Module:
    """A module from its text."""
    return Module(name, text, ast.parse(text))


def modules(folder: str = "kt") -> tuple[Module, ...]:
    """Every module below a folder of the repository."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return tuple(parse(_dotted(path), path.read_text()) for path in paths)


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def functions(module: Module) -> Iterator[tuple[str, int]]:
    """Each function of a module and its length in lines, decorators left out."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{module.name}.{node.name}", (node.end_lineno or 0) - node.lineno + 1


def imports(module: Module) -> frozenset[str]:
    """The dotted names that it imports when it runs, so without those for the type checker."""
    found: set[str] = set()
    pending: list[ast.AST] = [module.tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending.extend(node.orelse)
            continue
        pending.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return frozenset(found)


def names_in(node: ast.AST) -> frozenset[str]:
    """Every plain or dotted name in a tree: `attrs.frozen`, `dict`, `os.environ`."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            found.add(f"{part.value.id}.{part.attr}")
    return frozenset(found)
