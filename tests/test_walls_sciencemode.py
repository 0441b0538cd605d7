"""Amplitudes leave for HASOMED's boards by one door each, and that is the limiter's: held here until its driver is built on it.

import-linter keeps ``output`` to its own package; this keeps it to one module of that, and what it is made of to it.
"""

from __future__ import annotations

import ast

import pytest

from tests.test_walls_code import used, users
from tests.walls import trees

BOARDS = "stimctl.boards"
PACKAGES = (f"{BOARDS}.sciencemode4", f"{BOARDS}.sciencemode2")
DOORS = {f"{package}.update" for package in PACKAGES}
"""Where a driver turns an ``Approved`` into points or groups; each takes nothing else."""


@pytest.mark.parametrize("package", PACKAGES)
def test_the_encoder_of_output_is_known_to_one_module(package: str) -> None:
    output = f"{package}.output"
    assert output in trees()
    importers = {
        module
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.ImportFrom)
            and output in (node.module, *(f"{node.module}.{a.name}" for a in node.names))
        )
        or (isinstance(node, ast.Import) and output in {each.name for each in node.names})
    }
    assert importers <= {f"{package}.update"}
    assert users("encode_output") <= DOORS


def test_each_door_is_used_by_its_own_driver() -> None:
    assert users("encode_approved") <= {driver_of(package) for package in PACKAGES}
    assert users("encode_pulse") <= {driver_of(PACKAGES[0])}
    for package in PACKAGES:
        importers = {
            module
            for module, tree in trees().items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and f"{package}.update" in (node.module, *(f"{node.module}.{each.name}" for each in node.names))
        }
        assert importers <= {driver_of(package)}


def driver_of(package: str) -> str:
    """The one module that speaks for a board."""
    return f"stimctl.driver.{package.rpartition('.')[2]}.hearing"


@pytest.mark.parametrize("door", sorted(DOORS))
def test_a_door_takes_an_approved_alone(door: str) -> None:
    """Each function of a door that encodes asks for the type itself, as ``reference.update`` does: a look-alike is refused."""
    if door not in trees():
        assert not users("encode_output") & {door}
        return
    asked = [node for module, node in used("Approved") if module == door and isinstance(node, ast.Name)]
    assert asked, "a door without the type of a permit"
    compares = [node for node in ast.walk(trees()[door]) if isinstance(node, ast.Compare)]
    assert any(
        ast.unparse(node) in ("type(approved) is not Approved", "type(approved) is Approved") for node in compares
    )


def test_points_and_groups_are_laid_out_in_one_place() -> None:
    """Reading has the same tables, and no way to a frame."""
    four, two = PACKAGES
    assert users("wire_of") == {f"{four}.output"}
    assert {module for module in users("HEAD") if module.startswith(four)} == {f"{four}.output", f"{four}.reading"}
    assert users("GROUP") == {f"{two}.output", f"{two}.reading"}
    for package in PACKAGES:
        assert f"{package}.reading" not in users("build") | users("stuff")


def test_frames_are_put_together_by_the_codecs_alone() -> None:
    """Whoever stuffs or builds could build an update of its own."""
    codecs = {f"{package}.codec" for package in PACKAGES}
    assert users("stuff") == codecs
    inside = {module for module in users("build") if module.startswith(PACKAGES)}
    assert inside == codecs | {f"{package}.output" for package in PACKAGES}
    for module in set(trees()) - inside:
        for node in ast.walk(trees()[module]):
            if isinstance(node, ast.ImportFrom) and node.module in codecs:
                assert "build" not in {each.name for each in node.names}, module


def test_the_commands_that_make_current_flow_are_named_where_they_leave_and_arrive() -> None:
    """``Command.ML_UPDATE`` and its like elsewhere would be somebody who frames an output by hand."""
    for name, package in (
        ("ML_UPDATE", PACKAGES[0]),
        ("LL_CHANNEL_CONFIG", PACKAGES[0]),
        ("START_CHANNEL_LIST_MODE", PACKAGES[1]),
        ("SINGLE_PULSE", PACKAGES[1]),
    ):
        inside = {module for module in users(name) if module.startswith(BOARDS)}
        assert inside == {f"{package}.output", f"{package}.reading"}, name
