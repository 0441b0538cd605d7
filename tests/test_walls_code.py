"""Ways round a wall that no import statement shows, and doors that would open the limiter: none of them is in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from stimctl.boards.reference import codec
from stimctl.boards.reference import messages as m
from stimctl.boards.reference.update import encode_update
from stimctl.cli.parser import build
from stimctl.errors import OurBug
from stimctl.pulse import Command
from stimctl.safety import Approved
from tests.walls import OPTIONS, build_graph, home, kept, planted, room_of, trees, uses

ROUNDABOUT = frozenset(
    {
        *(
            "__import__",
            "import_module",
            "importlib",
            "imp",
            "exec",
            "eval",
            "compile",
            "runpy",
            "pkgutil",
            "zipimport",
        ),
        *("modules", "meta_path", "path_hooks", "load_module", "exec_module", "module_from_spec", "find_spec"),
        *("__subclasses__", "__globals__", "__builtins__", "builtins", "f_globals", "f_back", "_getframe", "globals"),
        *("get_objects", "get_referrers", "get_referents", "ctypes", "inspect", "codeop", "marshal"),
        *("pickle", "shelve", "dill", "copyreg", "allow_pickle", "__closure__", "__code__", "settrace", "setprofile"),
    }
)
"""Names of what brings in code or objects without an import statement that a contract would see."""

BY_LEAVE = {
    ("stimctl.control", "import_module"): "opens this room's own doors late, so that `check` starts fast",
    ("stimctl.control", "importlib"): "where that comes from",
    (
        "stimctl.control.process",
        "ctypes",
    ): "the kernel's scheduling and parent's-death calls, which Python has no names for",
    ("stimctl.protocols.schemas", "inspect"): "reads its own models' source, for the text of the schema",
    ("stimctl.protocols.shipped", "importlib"): "the shipped files, also from inside an archive",
    ("stimctl.sensors.recording", "allow_pickle"): "says no to pickles",
}

SHORT_WAYS = {
    ("stimctl.safety", "stimctl.envelope"): "the limiter is the front of its own parts",
    ("stimctl.control.authoring", "stimctl.protocols"): "text, schema and templates for an author; no numbers pass",
}
"""Where a room hands on what another has made, to rooms that could not fetch it themselves."""


def named(node: ast.AST) -> Iterator[str]:
    """Every name that a node uses for anything, its children's left out."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
            yield name
        case ast.Import(names=names):
            yield from (part for each in names for part in each.name.split("."))
        case ast.ImportFrom(module=module, names=names):
            yield from (module or "").split(".")
            yield from (each.name for each in names)


@cache
def index() -> dict[str, list[tuple[str, ast.AST]]]:
    """Each name and where it is used, by module; left out are annotations, which run nothing, and where it is made."""
    found: dict[str, list[tuple[str, ast.AST]]] = {}
    for module, tree in trees().items():
        silent: set[int] = set()
        for node in ast.walk(tree):
            for note in (getattr(node, "annotation", None), getattr(node, "returns", None)):
                if isinstance(note, ast.AST):
                    silent.update(id(part) for part in ast.walk(note))
            if id(node) not in silent and not isinstance(getattr(node, "ctx", None), ast.Store):
                for name in named(node):
                    found.setdefault(name, []).append((module, node))
    return found


def used(name: str) -> list[tuple[str, ast.AST]]:
    return index().get(name, [])


def users(name: str) -> set[str]:
    """The modules that do something with ``name``, more than import it."""
    return {module for module, node in used(name) if not isinstance(node, ast.Import | ast.ImportFrom)}


# --- no way round an import ---------------------------------------------------------------------------------------


def test_no_code_comes_in_by_a_way_that_no_contract_sees() -> None:
    found = {
        (module, name)
        for name in ROUNDABOUT
        for module, node in used(name)
        if name != "compile" or type(node) is ast.Name
    }
    assert found == BY_LEAVE.keys(), "each one here opens a wall: it needs a reason, or has to go"


def test_late_doors_lead_into_their_own_room_alone() -> None:
    """The one module that imports by text builds that text from its own name and a fixed table."""
    from stimctl import control

    [call] = [
        node
        for node in ast.walk(trees()["stimctl.control"])
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module"
    ]
    assert ast.unparse(call.args[0]) == "f'{__name__}.{_HOMES[name]}'"
    assert all(f"stimctl.control.{home}" in trees() for home in control._HOMES.values())


@pytest.mark.parametrize("name", ["setattr", "delattr", "getattr"])
def test_attributes_by_text_are_of_values_and_never_of_modules(name: str) -> None:
    """``getattr(module, text)`` would reach what no import names; our own modules are never asked so."""
    from tests.walls import bound

    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                first = node.args[0]
                source, inner = bound(module).get(first.id, ("", "")) if isinstance(first, ast.Name) else ("", "")
                assert inner or source not in trees(), f"{module}:{node.lineno}"


def test_nobody_fetches_through_another_room_what_it_may_not_fetch_itself() -> None:
    """Re-exports: each name is followed to where it was made, and that import planted in the place of the real one."""
    graph = build_graph()
    bad, short = set(), set()
    for module in trees():
        for source, name in uses(module):
            made, _ = home(source, name)
            if room_of(made) in (room_of(source), room_of(module)) or made not in graph.modules:
                continue
            if graph.direct_import_exists(importer=module, imported=made):
                continue
            with planted(graph, module, made):
                if all(kept(each, graph) for each in OPTIONS):
                    continue
            way = next((way for way in SHORT_WAYS if way[0] == source and way[1] == room_of(made)), None)
            (short.add(way) if way else bad.add((module, source, name, made)))
    assert bad == set()
    assert short == SHORT_WAYS.keys(), "what nobody needs any more has to go"


def test_the_follower_finds_a_planted_re_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown to bite: a face that takes the limiter from where it happens to lie about."""
    from tests import walls

    planted_trees = dict(trees()) | {
        "stimctl.cli.say": ast.parse("from stimctl.control import start\nstart.AnySession\n")
    }
    monkeypatch.setattr(walls, "trees", lambda: planted_trees)
    walls.bound.cache_clear()
    try:
        assert ("stimctl.session.door", "AnySession") in {home(*used) for used in uses("stimctl.cli.say")}
    finally:
        walls.bound.cache_clear()


# --- no option that opens the limiter -----------------------------------------------------------------------------

BYPASS = re.compile(
    r"(^|_)(unsafe|insecure|safety|bypass|bypassed|override|overrides|force|forced|unlimited|unchecked|uncapped|"
    r"no_?limits?|no_?checks?|skip_?(limits?|checks?|safety|limiter)|ignore_?(limits?|faults?|stop|latch)|"
    r"without_?(limits?|limiter|checks?)|disable(_\w+)?|expert|god|sudo|backdoor|yolo|allow_(any|all|high|unsafe))($|_)",
    re.IGNORECASE,
)
"""Words for a switch that would loosen what must not be loosened."""


def options() -> Iterator[str]:
    """Every option of every command."""
    parsers = [build()]
    while parsers:
        for action in parsers.pop()._actions:
            yield from (word.lstrip("-").replace("-", "_") for word in (*action.option_strings, action.dest))
            if isinstance(action.choices, dict):
                parsers += action.choices.values()


def parameters() -> Iterator[str]:
    """Every parameter, field and keyword in the code, but for the simulated hand, which has force."""
    for module, tree in trees().items():
        if room_of(module) == "stimctl.sim":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.arg | ast.keyword):
                yield node.arg or ""
            elif isinstance(node, ast.ClassDef):
                fields = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
                yield from (each.id for each in fields if isinstance(each, ast.Name))


def environment() -> Iterator[str]:
    """Every environment variable that the code reads; where its name is no constant, the module."""
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"):
                [holder] = [each for each in ast.walk(tree) if node in ast.iter_child_nodes(each)]
                [user] = [each for each in ast.walk(tree) if holder in ast.iter_child_nodes(each)]
                asked = user.args[0] if isinstance(user, ast.Call) else None
                yield str(asked.value) if isinstance(asked, ast.Constant) else module


def test_no_option_bends_a_limit() -> None:
    assert [name for name in options() if BYPASS.search(name)] == []
    assert len(set(options())) > 10


def test_no_parameter_bends_a_limit() -> None:
    assert {name for name in parameters() if BYPASS.search(name)} == set()


def test_the_words_are_looked_for() -> None:
    for name in ("unsafe", "safety", "no_limits", "skip_checks", "force", "is_forced", "OVERRIDE", "disable_latch"):
        assert BYPASS.search(name), name


ENVIRONMENT = {
    "NO_COLOR": "no colour",
    "TERM": "whether there is any",
    "STIMCTL_DEBUG": "where the details of a bug are shown",
    "stimctl.__main__": "writes: no plugin of Pydantic's that is installed beside us is asked about a file",
    "stimctl.control.child": "hands the environment on to the face, with the face's link",
    "stimctl.control.link": "where the face finds it",
    "stimctl.control.remote": "narrows: a terminal reached from afar is refused a real board",
}


def test_the_environment_bends_nothing() -> None:
    assert set(environment()) == ENVIRONMENT.keys(), "none of these may widen anything; a new one needs its reason"


# --- one mint, and one door out -----------------------------------------------------------------------------------


def test_permits_are_minted_in_one_place() -> None:
    """``approve`` is the limiter's; what it does is private to its file; the type alone is known elsewhere."""
    assert users("approve") == {"stimctl.safety", "stimctl.session.stage", "stimctl.session.rehearsal"}
    bare = {module for module, node in used("approve") if isinstance(node, ast.Name | ast.ImportFrom)}
    assert bare == {"stimctl.safety"}, "the others ask their limiter, as limiter.approve"
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "Approved",
                "object.__new__",
                "Approved.__new__",
            ):
                raise AssertionError(f"{module}:{node.lineno} makes what the limiter alone may make")
            if isinstance(node, ast.ImportFrom) and node.module == "stimctl.envelope.latch":
                assert not [each.name for each in node.names if each.name.startswith("_")], module


def test_a_permit_cannot_be_called_into_being() -> None:
    with pytest.raises(OurBug, match="only the limiter approves"):
        Approved()


def test_amplitudes_are_laid_out_in_one_place() -> None:
    assert users("pack_update") == users("UPDATE_TYPE") == {"stimctl.boards.reference.update"}
    assert users("encode_update") == {"stimctl.driver.armed"}
    assert users("TRAIN") == {"stimctl.boards.reference.layout", "stimctl.boards.reference.reading"}


def test_frames_reach_a_port_through_one_line() -> None:
    """Whoever writes to a transport could write an update of its own."""
    writers = {module for module, node in used("write") if "transport" in ast.unparse(node)}
    assert writers == {"stimctl.driver.line"}


def test_no_encoder_takes_an_update() -> None:
    with pytest.raises(OurBug, match="from what the limiter approved"):
        codec.encode(m.Update(0, 0, ()), sequence=0)


@pytest.mark.parametrize(
    "forged", [None, Command(()), b"", m.Update(0, 0, ()), Approved], ids=lambda one: type(one).__name__
)
def test_the_encoder_of_output_takes_nothing_but_a_permit(forged: object) -> None:
    with pytest.raises(OurBug, match="is not what the limiter approved"):
        encode_update(forged, sequence=0, token=0, loop_counter=0, host_ms=0)  # type: ignore[arg-type]


def test_a_look_alike_is_no_permit() -> None:
    class Looks:
        command = Command(())

        @property  # type: ignore[misc]
        def __class__(self) -> type:
            return Approved

    assert isinstance(Looks(), Approved)
    with pytest.raises(OurBug, match="is not what the limiter approved"):
        encode_update(Looks(), sequence=0, token=0, loop_counter=0, host_ms=0)  # type: ignore[arg-type]
