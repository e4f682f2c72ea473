"""The house rules: who may import whom, how large things get, where the clock and the user are.

Every rule is a function from a module to what is wrong with it. It is applied to all of `kt`, and
to a planted text that breaks it. An exception is a row with its reason; one that is not needed any
more is refused.
"""

import ast
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator

import pytest

from kt import policies
from kt.compiler.checks import CHECKS
from kt.compiler.optimizer import RULES
from kt.errors import REFUSALS
from tests.support.house import ROOT, Module, functions, imports, modules, names_in, parse

HALL = frozenset({"kt", "kt.source", "kt.errors", "kt.units"})
SIGHT = HALL | {"kt.diagnostics", "kt.exchange"}
SEAM = SIGHT | {"kt.policy", "kt.edits"}

MAY_IMPORT: dict[str, frozenset[str]] = {
    "kt": frozenset(),
    "kt.__main__": frozenset({"kt.cli"}),
    "kt.source": frozenset(),
    "kt.errors": frozenset(),
    "kt.units": frozenset(),
    "kt.diagnostics": HALL,
    "kt.exchange": HALL,
    "kt.policy": SIGHT,
    "kt.edits": SEAM,
    "kt.limits": frozenset(),
    "kt.routing": frozenset({"kt.limits", "kt.filters"}),
    "kt.plan": frozenset({"kt.limits", "kt.policy", "kt.filters", "kt.exchange", "kt.routing"}),
    "kt.planfile": SEAM | {"kt.plan", "kt.routing", "kt.patterns", "kt.filters", "kt.compiler"},
    "kt.patterns": frozenset({"kt.policy"}),
    "kt.filters": HALL | {"kt.policy", "kt.patterns"},
    "kt.wire": frozenset({"kt.exchange", "kt.policy", "kt.edits", "kt.errors"}),
    "kt.policies": frozenset({"kt.plan", "kt.policy", "kt.exchange", "kt.source", "kt.patterns"}),
    "kt.explain": frozenset({"kt.plan", "kt.policy", "kt.patterns", "kt.units", "kt.errors"})
    | {"kt.routing", "kt.exchange", "kt.filters", "kt.wire"},
    "kt.compiler": SEAM
    | {"kt.limits", "kt.plan", "kt.routing", "kt.patterns", "kt.filters", "kt.policies"},
    "kt.transport": frozenset(),
    "kt.runtime": SEAM
    | {"kt.plan", "kt.routing", "kt.patterns", "kt.filters", "kt.wire", "kt.transport"},
    "kt.diff": SEAM | {"kt.plan", "kt.patterns", "kt.filters", "kt.runtime"},
    "kt.testing": HALL | {"kt.wire", "kt.runtime"},
    "kt.verify": SEAM | {"kt.plan", "kt.patterns", "kt.filters", "kt.compiler", "kt.runtime"},
    "kt.simulation": HALL
    | {"kt.plan", "kt.routing", "kt.compiler", "kt.transport", "kt.runtime", "kt.testing"},
    "kt.cli": SEAM
    | {"kt.plan", "kt.patterns", "kt.filters", "kt.wire", "kt.policies", "kt.explain"}
    | {"kt.compiler", "kt.runtime", "kt.testing", "kt.verify", "kt.diff", "kt.planfile"}
    | {"kt.simulation"},
}
"""The table of docs/architecture.md: each room, and the other rooms that it may import."""

DOORS = {
    "kt.explain": ("kt.wire", frozenset({"kt.wire.endpoints", "kt.wire.format"})),
    "kt.plan": ("kt.filters", frozenset({"kt.filters.syntax"})),
    "kt.planfile": (
        "kt.compiler",
        frozenset({"kt.compiler.engines", "kt.compiler.fields", "kt.compiler.urls"}),
    ),
    "kt.diff": (
        "kt.runtime",
        frozenset(f"kt.runtime.{name}" for name in ("conditions", "engine", "identity", "settle")),
    ),
    "kt.testing": ("kt.runtime", frozenset({"kt.runtime.server", "kt.runtime.inbox"})),
    "kt.simulation": (
        "kt.runtime",
        frozenset(
            f"kt.runtime.{name}"
            for name in ("app", "audit", "connecting", "engine", "gateway", "generations", "server")
        ),
    ),
    "kt.verify": (
        "kt.runtime",
        frozenset(f"kt.runtime.{name}" for name in ("engine", "fused", "settle", "window")),
    ),
}
"""A room that may use only some modules of another: the plan holds filters and runs none."""

STAGES = ("reader", "structure", "analyse", "optimizer", "lower")

LIBRARIES: dict[str, tuple[str, ...]] = {
    "attrs": ("kt",),
    "lark": ("kt.patterns.parser", "kt.filters.parser"),
    "re2": ("kt.patterns.matcher",),
    "stdnum": ("kt.patterns.validators",),
    "orjson": ("kt.wire",),
    "yaml": ("kt.compiler.reader",),
    "cattrs": ("kt.compiler.structure",),
    "trio": ("kt.transport", "kt.runtime", "kt.testing", "kt.verify", "kt.simulation", "kt.cli"),
    "hypothesis": ("kt.verify.law", "kt.verify.cases"),
    "httptools": ("kt.transport.answer_parser", "kt.runtime.edge.request_parser"),
    "h2": ("kt.transport.http2",),
    "certifi": ("kt.transport.streams",),
    "httpx": ("kt.transport.httpx_client", "kt.transport.httpx_face"),
    "hypercorn": ("kt.runtime.edge.hypercorn_edge",),
    "h11": ("kt.runtime.edge.hypercorn_edge",),
    "prometheus_client": ("kt.runtime.metrics",),
    "click": ("kt.cli",),
    "rich": ("kt.cli",),
}
"""Third-party package -> the only places that know it."""

LIBRARY_EXCEPTIONS = {
    ("kt.runtime.app", "orjson"): "writes the JSON of the pages that need no request",
    ("kt.runtime.reply", "orjson"): "writes the error body",
    ("kt.cli.demo", "orjson"): "plays a client, which shares nothing with the gateway",
    ("kt.cli.demo", "httpx"): "plays a client, which shares nothing with the gateway",
}

IMPURE = frozenset({"time", "random", "datetime"})
"""Modules that make two runs differ: the clock is trio's, and who needs more says so here."""

IMPURE_EXCEPTIONS = {
    ("kt.runtime.ledger", "datetime"): "stamps an event with the time of day, once",
    ("kt.runtime.edge.answer_writer", "time"): "stamps answers with the time of day, as HTTP wants",
    ("kt.simulation.drawing", "random"): "draws a schedule from a seed",
    ("kt.simulation.pipes", "random"): "cuts pieces, seeded",
    ("kt.simulation.provider", "random"): "hands the seeded one on",
    ("kt.simulation.world", "random"): "cuts pieces and stands in for the runtime's, seeded",
    ("kt.testing.mock_provider", "random"): "fails a share of the requests, seeded",
}

CATCHES_EXCEPTION = {
    "kt.runtime.engine": "around one policy's check: it becomes the verdict `failed`",
    "kt.runtime.app": "around one request: 500 and an event",
    "kt.simulation.search": "around one run: what ends it is a failure with a seed",
    "kt.runtime.guard": "around one connection: a bug in it ends no other",
    "kt.cli": "sorts the groups that trio makes; raises what is no user's mistake",
}

LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

LIVING = {
    ("kt.cli.demo", "Stage"): "the screen and the parts of the play that runs on it",
    ("kt.compiler.reader", "_Builder"): "counts nodes while it builds the tree",
    ("kt.compiler.variables", "_Filler"): "counts what it fills in",
    ("kt.diagnostics", "Report"): "collects problems while a stage runs",
    ("kt.runtime.app", "App"): "the running gateway",
    ("kt.runtime.exchange", "Exchange"): "one request under way",
    ("kt.routing.health", "TargetHealth"): "what is known of a target while a gateway runs",
    ("kt.runtime.passthrough", "Unread"): "one request under way",
    ("kt.runtime.endpoints", "Judged"): "one request under way",
    ("kt.runtime.engine", "PolicyBudget"): "what is left of a request's budget",
    ("kt.runtime.fused", "ArgumentsLane"): "a growing text",
    ("kt.runtime.fused", "GrowingLane"): "a growing text",
    ("kt.runtime.ledger", "Ledger"): "what becomes one event when the request ends",
    ("kt.runtime.stream", "AnswerStream"): "an answer under way",
    ("kt.runtime.upstream", "Answer"): "an open answer of a provider",
    ("kt.runtime.upstream", "Waiting"): "whose turn it is to be waited for",
    ("kt.simulation.observed", "Exchanged"): "a provider's side of a request under way",
    ("kt.simulation.observed", "Heard"): "a client's side of its connection",
    ("kt.simulation.pipes", "ReceiveEnd"): "an end of a connection",
    ("kt.simulation.pipes", "SendEnd"): "an end of a connection",
    ("kt.wire.splice", "_Node"): "a tree of edits while it is built",
}
"""Attrs classes that change while something is under way; none of them is passed between rooms."""

MUTABLE_MODULE_STATE = {
    "kt.compiler.leaves": "the table of leaves; nobody writes to it",
}

FORBIDDEN_NAMES = frozenset(
    {"utils", "helpers", "common", "misc", "base", "manager", "core", "types"}
)

MUTABLE = frozenset(
    {"list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "List", "Dict", "Set"}
)

Rule = Callable[[Module], Iterable[str]]


def room_of(name: str) -> str:
    """The room of a module: the longest row of MAY_IMPORT that its name begins with."""
    parts = name.split(".")
    prefixes = (".".join(parts[:size]) for size in range(len(parts), 0, -1))
    return next(prefix for prefix in prefixes if prefix in MAY_IMPORT)


def is_inside(name: str, places: Iterable[str]) -> bool:
    """Whether a module is one of the places or lies in one."""
    return any(name == place or name.startswith(f"{place}.") for place in places)


def foreign_rooms(module: Module) -> Iterator[str]:
    """Imports of rooms that its own room may not know."""
    room = room_of(module.name)
    if module.name == "kt":
        allowed: frozenset[str] = frozenset()
    else:
        allowed = MAY_IMPORT[room] | {room, "kt"}
    for name in imports(module):
        if is_inside(name, ["kt"]) and room_of(name) not in allowed:
            yield name
        place, doors = DOORS.get(room, ("", frozenset()))
        if place and is_inside(name, [place]) and name not in doors:
            yield name


def foreign_stages(module: Module) -> Iterator[str]:
    """A stage that imports another: only the pipeline knows them all."""
    if room_of(module.name) != "kt.compiler" or module.name == "kt.compiler.pipeline":
        return
    stages = [f"kt.compiler.{stage}" for stage in STAGES]
    own = [stage for stage in stages if is_inside(module.name, [stage])]
    for name in imports(module):
        if is_inside(name, stages) and not is_inside(name, own):
            yield name


def foreign_libraries(module: Module) -> Iterator[str]:
    """Third-party packages outside their room."""
    for package in {name.split(".")[0] for name in imports(module)}:
        if package in sys.stdlib_module_names or package == "kt":
            continue
        if not is_inside(module.name, LIBRARIES.get(package, ())):
            yield package


def impurities(module: Module) -> Iterator[str]:
    """Modules of chance and time of day."""
    yield from {name.split(".")[0] for name in imports(module)} & IMPURE


def loose_talk(module: Module) -> Iterator[str]:
    """Printing and reading the environment: only the command line does."""
    if room_of(module.name) == "kt.cli":
        return
    calls = [node.func for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    yield from {call.id for call in calls if isinstance(call, ast.Name)} & {"print", "input"}
    yield from names_in(module.tree) & {"os.environ", "os.getenv"}


def wide_nets(module: Module) -> Iterator[str]:
    """Handlers that catch every exception."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = {"BaseException"} if node.type is None else names_in(node.type)
            yield from caught & {"Exception", "BaseException", "BaseExceptionGroup"}


def missing_door_sign(module: Module) -> Iterator[str]:
    """A module without a first sentence that says what lives there."""
    sign = (ast.get_docstring(module.tree) or "").split("\n")[0]
    if not sign.endswith((".", ":")):
        yield "no door sign"


def argument_lists(module: Module) -> Iterator[str]:
    """Docstrings that list arguments instead of stating a contract."""
    documented = ast.AsyncFunctionDef | ast.FunctionDef | ast.ClassDef | ast.Module
    for node in ast.walk(module.tree):
        if isinstance(node, documented) and "Args:" in (ast.get_docstring(node) or ""):
            yield getattr(node, "name", module.name)


def vague_names(module: Module) -> Iterator[str]:
    """File names that say nothing."""
    yield from set(module.name.split(".")) & FORBIDDEN_NAMES


def long_modules(module: Module) -> Iterator[str]:
    """Modules over 400 lines."""
    if module.lines > 400:
        yield f"{module.lines} lines"


def long_functions(module: Module) -> Iterator[str]:
    """Functions over 60 lines."""
    yield from (name for name, length in functions(module) if length > 60)


def loose_values(module: Module) -> Iterator[str]:
    """Value classes that can be changed, by themselves or through a field."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        decorators = frozenset().union(*(names_in(each) for each in node.decorator_list))
        if decorators & {"dataclass", "dataclasses.dataclass", "attrs.define", "attrs.mutable"}:
            yield f"{node.name} is not frozen"
        if "attrs.frozen" in decorators:
            yield from (f"{node.name}.{field}" for field in _mutable_fields(node))


def _mutable_fields(node: ast.ClassDef) -> Iterator[str]:
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            # A function type may take lists; a field that is one may not.
            annotation = part.annotation
            is_function = isinstance(annotation, ast.Subscript) and "Callable" in names_in(
                annotation.value
            )
            if not is_function and names_in(annotation) & MUTABLE:
                yield part.target.id


def module_state(module: Module) -> Iterator[str]:
    """Names of a module that hold something that can change."""
    mutable = ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
    for node in module.tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        is_made = isinstance(value, ast.Call) and names_in(value.func) & MUTABLE
        if (isinstance(value, mutable) or is_made) and not _is_all(node):
            yield ast.unparse(node).split("=")[0].strip()


def _is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


MODULES = modules()

EXCEPTIONS: dict[Rule, frozenset[tuple[str, str]]] = {
    foreign_libraries: frozenset(LIBRARY_EXCEPTIONS),
    impurities: frozenset(IMPURE_EXCEPTIONS),
    loose_values: frozenset((module, f"{name} is not frozen") for module, name in LIVING),
}
"""Rule -> the findings, one by one, that have a reason."""

MODULE_EXCEPTIONS: dict[Rule, frozenset[str]] = {
    wide_nets: frozenset(CATCHES_EXCEPTION),
    long_modules: frozenset(LONG_MODULES),
    long_functions: frozenset(LONG_FUNCTIONS),
    module_state: frozenset(MUTABLE_MODULE_STATE),
}
"""Rule -> the modules in which it does not hold."""

PLANTED: dict[Rule, tuple[str, str]] = {
    foreign_rooms: ("kt.runtime.app", "from kt.compiler.pipeline import compile_source"),
    foreign_stages: ("kt.compiler.lower", "from kt.compiler.analyse import analyse"),
    foreign_libraries: ("kt.policies.shout", "import httpx"),
    impurities: ("kt.runtime.engine", "from time import monotonic"),
    loose_talk: ("kt.runtime.engine", "import os\nprint(os.environ)"),
    wide_nets: ("kt.runtime.body", "try:\n    pass\nexcept (ValueError, Exception):\n    pass"),
    missing_door_sign: ("kt.policies.shout", "'''Shouts'''"),
    argument_lists: ("kt.policies.shout", "def f(): '''Do.\n\n    Args:\n      x: y\n    '''"),
    vague_names: ("kt.runtime.utils", ""),
    long_modules: ("kt.policies.shout", "\n" * 401),
    long_functions: ("kt.policies.shout", "def f():\n" + "    pass\n" * 60),
    loose_values: ("kt.policies.shout", "@attrs.frozen\nclass A:\n    b: tuple[list[int], ...]"),
    module_state: ("kt.policies.shout", "CACHE: dict[str, int] = dict()"),
}
"""Rule -> a module that breaks it: the test of the test."""


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_a_rule_holds_everywhere(rule: Rule) -> None:
    found = {(module.name, what) for module in MODULES for what in rule(module)}
    excused = EXCEPTIONS.get(rule, frozenset())
    places = MODULE_EXCEPTIONS.get(rule, frozenset())
    assert sorted(each for each in found - excused if each[0] not in places) == []
    assert sorted(excused - found) == [], "these exceptions are not needed any more"
    assert sorted(places - {name for name, _ in found}) == [], "nor are these"


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_a_rule_finds_what_breaks_it(rule: Rule) -> None:
    name, text = PLANTED[rule]
    assert list(rule(parse(name, text)))


def test_a_mutable_value_class_is_found() -> None:
    assert list(loose_values(parse("kt.plan", "@attrs.define\nclass A:\n    b: int")))


def test_half_of_the_functions_are_short() -> None:
    lengths = [length for module in MODULES for _, length in functions(module)]
    assert statistics.median(lengths) <= 9


def files_in(folder: str) -> set[str]:
    """The modules of a folder, without its `__init__`."""
    return {module.name for module in MODULES if module.name.startswith(f"{folder}.")}


def test_every_check_is_run() -> None:
    assert {check.__module__ for check in CHECKS} == files_in("kt.compiler.checks")


RULE_MACHINERY = {
    "kt.compiler.optimizer.arrange": "finds the order that borders between stages allow",
    "kt.compiler.optimizer.laws": "says which law a rule breaks",
    "kt.compiler.optimizer.run": "applies the rules, and names the one that breaks a law",
    "kt.compiler.optimizer.commute": "answers whether two steps may be swapped",
}


def test_every_optimizer_rule_is_run() -> None:
    rules = {rule.__module__ for rule in RULES}
    assert rules == files_in("kt.compiler.optimizer") - RULE_MACHINERY.keys()


KIND_PARTS = {
    "kt.policies.actions": "the choices of `action` that kinds share",
    "kt.policies.advice": "what the kinds against advice share",
    "kt.policies.any_value": "a setting that nothing reads",
    "kt.policies.identifiers": "what the kinds about personal data share",
    "kt.policies.kind": "what every kind offers",
    "kt.policies.problem": "what a kind may say against its settings",
    "kt.policies.rule_lists": "the built-in rule lists by name, with their hashes",
    "kt.policies.rules": "the built-in rule lists",
    "kt.policies.rules.confidential_matters": "the rules of mnpi-filter and legal-privilege",
    "kt.policies.rules.controlled_subjects": "the rules of the filters about trade controls",
    "kt.policies.rules.markings": "the markings that dlp-filter finds",
    "kt.policies.rules.secrets": "the rules of code-sanitation",
    "kt.policies.rules.signal": "what a built-in rule is",
    "kt.policies.rules.unsafe_content": "the rules of safety-filter",
    "kt.policies.terms": "word lists as rules",
    "kt.policies.rules.injection": "the rules of prompt-injection",
    "kt.policies.rules.personal_data": "the rules of pii-detector",
}


def test_every_kind_is_known_by_the_name_of_its_file() -> None:
    kinds = {kind.__module__: name for name, kind in policies.KINDS.items()}
    assert kinds.keys() == files_in("kt.policies") - KIND_PARTS.keys()
    for module, kind in kinds.items():
        assert module == f"kt.policies.{kind.replace('-', '_')}"


def test_every_refusal_is_used() -> None:
    texts = [module.text for module in MODULES if module.name != "kt.errors"]
    unused = [code for code in REFUSALS if not any(f'"{code}"' in text for text in texts)]
    assert unused == []


def test_the_map_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    top = {".".join(module.name.split(".")[:2]) for module in MODULES} - {"kt", "kt.__main__"}
    names = {f"`{room.replace('.', '/')}" for room in top}
    assert sorted(name for name in names if name not in text) == []
    assert top | {"kt", "kt.__main__"} == MAY_IMPORT.keys()


SPINE = "tests/e2e/test_openai_sdk.py"
APP = "tests/runtime/test_app.py"
ANSWERS = "tests/laws/test_streaming.py"
CASES = "tests/compiler/test_cases.py"
CLAIMS = "tests/laws/test_filter_analysis.py"

TESTED_BY = {
    "kt.compiler": CASES,
    "kt.compiler.leaves": "tests/laws/test_compiler_leaves.py",
    "kt.compiler.optimizer": "tests/laws/test_compiler_optimizer.py",
    "kt.explain": CASES,
    "kt.plan": "tests/laws/test_compiler_optimizer.py",
    "kt.policy": ANSWERS,
    "kt.errors": SPINE,
    "kt.cli.compile": "tests/cli/test_config.py",
    "kt.cli.compiling": "tests/cli/test_config.py",
    "kt.cli.schema": "tests/cli/test_config.py",
    "kt.cli.validate": "tests/cli/test_config.py",
    "kt.cli.demo": "tests/e2e/test_demo.py",
    "kt.cli.gateway": SPINE,
    "kt.cli.surroundings": SPINE,
    "kt.policies": CASES,
    "kt.filters.cases": CLAIMS,
    "kt.filters.folding": CLAIMS,
    "kt.filters.solving": CLAIMS,
    "kt.wire.splice": "tests/laws/test_wire_bodies.py",
    "kt.runtime.audit": APP,
    "kt.runtime.body": APP,
    "kt.runtime.edge.making": "tests/runtime/test_server.py",
    "kt.runtime.endpoints": APP,
    "kt.runtime.exchange": APP,
    "kt.runtime.engine": ANSWERS,
    "kt.runtime.fused": ANSWERS,
    "kt.runtime.gateway": SPINE,
    "kt.runtime.identity": APP,
    "kt.runtime.ledger": APP,
    "kt.runtime.metrics": APP,
    "kt.runtime.reply": APP,
    "kt.runtime.settle": ANSWERS,
    "kt.runtime.stream": ANSWERS,
    "kt.runtime.edge.client_stream": "tests/runtime/test_server.py",
    "kt.runtime.edge.connection": "tests/runtime/test_server.py",
    "kt.runtime.edge.hypercorn_edge": "tests/runtime/test_server.py",
    "kt.runtime.upstream": "tests/runtime/test_timeouts.py",
    "kt.simulation": "tests/simulation/test_schedules.py",
    "kt.transport.connection": "tests/transport/test_client.py",
    "kt.transport.http1": "tests/transport/test_client.py",
    "kt.transport.failures": "tests/transport/test_client.py",
    "kt.transport.httpx_client": "tests/runtime/test_upstream.py",
}
"""A module or room -> where it is tested as a whole instead of module by module."""


def mirror_of(module: Module) -> str:
    """The test file at the same path."""
    *folders, last = module.name.split(".")[1:]
    if module.is_package:
        folders, last = [*folders, last], "init"
    return "/".join(["tests", *folders, f"test_{last}.py"])


def has_functions(module: Module) -> bool:
    """Whether there is anything to run: tables and declarations are tested where they are used."""
    return any(True for _ in functions(module))


def is_tested(module: Module) -> bool:
    """Whether a module has its test file, or one that stands for its room."""
    rooms = [name for name in TESTED_BY if is_inside(module.name, [name])]
    paths = (mirror_of(module), *(TESTED_BY[name] for name in rooms))
    return any((ROOT / path).exists() for path in paths)


def test_every_module_has_its_tests() -> None:
    missing = [m.name for m in MODULES if has_functions(m) and not is_tested(m)]
    assert missing == []


def test_a_module_without_tests_is_found() -> None:
    assert not is_tested(parse("kt.runtime.shout", "def f(): pass"))
