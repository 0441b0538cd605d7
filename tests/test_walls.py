"""The storeys and the never-rules of docs/architecture.md, as import-linter reads them from pyproject.toml.

Every forbidden import is planted, one after the other, in the graph of imports, and has to be refused by the contract
that is there for it; a handful of them also in a copy of the source, under the command that CI runs.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from tests.walls import OPTIONS, ROOT, build_graph, kept, planted, room_of

STOREYS: list[list[str]] = [[room.strip() for room in layer.split("|")] for layer in OPTIONS["storeys"]["layers"]]
"""The rooms, from the door down."""

LAYERS_BELOW_THE_CLOCK = {
    "time": {
        "stimctl.control": "the control loop's and the face's own time",
        "stimctl.tui": "how long ago the newest picture came: for painting alone",
        "stimctl.records": "the writer thread's patience with a disk",
        "stimctl.sim": "the twin on a pseudo-terminal runs in real time (sim/terminal.py alone)",
    },
    "datetime": {"stimctl.control": "the record's wall clock, handed down"},
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return build_graph()


def modules_of(graph: grimp.ImportGraph, *rooms: str) -> list[str]:
    """The modules of these rooms, the rooms themselves included."""
    return sorted(module for module in graph.modules if any(f"{module}.".startswith(f"{room}.") for room in rooms))


def importers(graph: grimp.ImportGraph, imported: str) -> set[str]:
    """Who imports a module from outside, directly; nobody if it is not in the graph at all."""
    return set(graph.find_modules_that_directly_import(imported)) if imported in graph.modules else set()


# --- as they stand ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIONS)
def test_every_wall_stands(name: str, graph: grimp.ImportGraph) -> None:
    assert kept(name, graph)


def test_every_room_has_a_storey() -> None:
    rooms = {
        path.stem for path in (ROOT / "stimctl").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__"} == set(itertools.chain(*STOREYS))


def test_light_rooms_start_without_numpy() -> None:
    """The contract reads imports; this runs them. And a session needs none either until somebody listens."""
    rooms = "protocols, safety, schedule, boards.reference, boards.sciencemode4.output, boards.sciencemode2.output, engine, driver, control.start"
    code = "".join(f"import stimctl.{room.strip()}\n" for room in rooms.split(","))
    code += "import sys; sys.exit(' '.join({'numpy', 'textual', 'scipy'} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# --- every forbidden import, planted ------------------------------------------------------------------------------


def forbidden_steps() -> Iterator[tuple[str, str]]:
    """Every room and every room above or beside it."""
    for high, storey in enumerate(STOREYS):
        for room in storey:
            for other in itertools.chain(*STOREYS[:high], storey):
                if other != room:
                    yield f"stimctl.{room}", f"stimctl.{other}"


def test_no_room_can_look_up_or_sideways(graph: grimp.ImportGraph) -> None:
    """All pairs of rooms, each planted at a room's door."""
    steps = list(forbidden_steps())
    assert len(steps) > 150
    for room, other in steps:
        with planted(graph, room, other):
            assert not kept("storeys", graph), (room, other)


def test_looking_down_is_allowed() -> None:
    """What is not forbidden, all at once: else a contract that refuses everything would pass for a good one."""
    graph, forbidden = build_graph(), set(forbidden_steps())
    rooms = [f"stimctl.{room}" for room in itertools.chain(*STOREYS)]
    for one, other in set(itertools.permutations(rooms, 2)) - forbidden:
        graph.add_import(importer=one, imported=other)
    assert kept("storeys", graph)


def test_what_hides_deep_in_a_room_is_found(graph: grimp.ImportGraph) -> None:
    """From a module to a module, not only from door to door: one plant of each storey into the one above."""
    for high, low in itertools.pairwise(STOREYS):
        upper, lower = (modules_of(graph, f"stimctl.{storey[0]}")[-1] for storey in (high, low))
        with planted(graph, lower, upper):
            assert not kept("storeys", graph), (lower, upper)


def test_a_room_without_a_storey_is_refused(graph: grimp.ImportGraph) -> None:
    graph.add_module("stimctl.attic")
    try:
        assert not kept("storeys", graph)
    finally:
        graph.remove_module("stimctl.attic")


@pytest.mark.parametrize("name", [name for name, options in OPTIONS.items() if options["type"] == "forbidden"])
def test_what_a_room_may_never_import(name: str, graph: grimp.ImportGraph) -> None:
    """Each forbidden module into the rooms' doors, and one into each module of them, every time another."""
    options = OPTIONS[name]
    doors, forbidden = options["source_modules"], options["forbidden_modules"]
    steps = {*itertools.product(doors, forbidden), *zip(modules_of(graph, *doors), itertools.cycle(forbidden))}
    for importer, imported in steps:
        with planted(graph, importer, imported):
            assert not kept(name, graph), (importer, imported)


@pytest.mark.parametrize("name", ["limiter", "twin", "light"])
def test_nor_by_way_of_another_room(name: str, graph: grimp.ImportGraph) -> None:
    """Through a module that the room imports already, in whatever room that is."""
    options = OPTIONS[name]
    inside = set(modules_of(graph, *options["source_modules"]))
    between = {near for each in inside for near in graph.find_modules_directly_imported_by(each)} - inside
    between = {each for each in between if each.startswith("stimctl.")}
    assert between
    for importer, imported in itertools.product(sorted(between), options["forbidden_modules"]):
        with planted(graph, importer, imported):
            assert not kept(name, graph), (importer, imported)


@pytest.mark.parametrize("name", [name for name, options in OPTIONS.items() if options["type"] == "protected"])
def test_what_one_room_has_to_itself(name: str, graph: grimp.ImportGraph) -> None:
    """Every module of ours that is not in an allowed room is refused."""
    options = OPTIONS[name]
    [precious] = options["protected_modules"]
    allowed = {*options["allowed_importers"], precious}
    strangers = [
        each for each in modules_of(graph, "stimctl") if not any(f"{each}.".startswith(f"{one}.") for one in allowed)
    ]
    assert len(strangers) > 100
    for stranger in strangers:
        with planted(graph, stranger, precious):
            assert not kept(name, graph), stranger


def test_a_face_reads_records_and_writes_none(graph: grimp.ImportGraph) -> None:
    """Stricter than the contract, which names the journal: the read side is these two files and no other."""
    for room in ("stimctl.cli", "stimctl.tui", "stimctl.widgets"):
        for module in modules_of(graph, room):
            known = {each for each in graph.find_modules_directly_imported_by(module) if "stimctl.records" in each}
            assert known <= {"stimctl.records", "stimctl.records.reading", "stimctl.records.words"}, module


@pytest.mark.parametrize("name", LAYERS_BELOW_THE_CLOCK)
def test_time_is_an_argument(name: str, graph: grimp.ImportGraph) -> None:
    """No room below the stairwell reads a clock, but for the few that say why."""
    assert {room_of(each) for each in importers(graph, name)} == set(LAYERS_BELOW_THE_CLOCK[name])


def test_only_the_twins_terminal_reads_a_clock(graph: grimp.ImportGraph) -> None:
    assert {each for each in importers(graph, "time") if room_of(each) == "stimctl.sim"} == {"stimctl.sim.terminal"}


# --- the command that CI runs, over a copy of the source ----------------------------------------------------------

PLANTS = {
    "storeys": ("stimctl/engine/lanes.py", "def later() -> object:\n    import stimctl.driver.core\n"),
    "limiter": ("stimctl/safety.py", "import random\n"),
    "faces": ("stimctl/cli/say.py", "from stimctl.safety import Limiter as Hidden\n"),
    "envelope": ("stimctl/session/stage.py", "from stimctl.envelope.latch import approve as mint\n"),
    "twin": ("stimctl/sim/guard.py", "try:\n    from stimctl import safety\nexcept ImportError:\n    safety = None\n"),
    "light": ("stimctl/engine/dose.py", "if len('x') > 1:\n    import numpy as np\n"),
    "sciencemode4": (
        "stimctl/driver/armed.py",
        "from stimctl.boards.sciencemode4.output import encode_output as say\n",
    ),
    "sciencemode2": ("stimctl/sim/board.py", "def late() -> object:\n    import stimctl.boards.sciencemode2.output\n"),
    "pydantic": ("stimctl/units.py", "from pydantic import BaseModel as Model\n"),
    "serial": ("stimctl/driver/line.py", "class Deep:\n    def deeper(self) -> None:\n        import serial.tools\n"),
    "lsl": ("stimctl/transport/lsl_in.py", "def at_once() -> object:\n    from pylsl import StreamInlet\n"),
    "edf": ("stimctl/sensors/recording.py", "import edfio as reader\n"),
    "peers": ("stimctl/transport/port.py", "def theirs() -> object:\n    import science_mode_4.protocol\n"),
    "textual": (
        "stimctl/session/view.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import textual.app\n",
    ),
    "painters": ("stimctl/cli/main.py", "from stimctl.widgets import frame\n"),
}
"""An import for each contract, as somebody in a hurry would hide it."""


def test_a_planted_import_is_named_by_the_command_that_ci_runs(tmp_path: Path) -> None:
    assert PLANTS.keys() == OPTIONS.keys()
    shutil.copytree(ROOT / "stimctl", tmp_path / "stimctl", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, lines in PLANTS.values():
        with (tmp_path / path).open("a", encoding="utf-8") as file:
            file.write(lines)
    command = (
        "import sys; sys.path.insert(0, '.');"
        " from importlinter.cli import lint_imports_command as main; main(['--no-logo', '--no-cache'])"
    )
    done = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    said = "".join(done.stdout.split("Broken contracts")[:1])
    for name, options in OPTIONS.items():
        assert f"{options['name']} BROKEN" in said, (name, done.stdout)
