"""The storeys and the never-rules of docs/architecture.md, as import-linter reads them from pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def test_every_wall_stands() -> None:
    command = "from importlinter.cli import lint_imports_command as main; main(['--no-logo', '--no-cache'])"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_a_storey() -> None:
    storeys = next(each for each in CONTRACTS if each["id"] == "storeys")
    listed = {name.strip() for layer in storeys["layers"] for name in layer.replace(":", "|").split("|")}
    rooms = {
        path.stem for path in (ROOT / "stimctl").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__"} == listed


def test_light_rooms_start_without_numpy() -> None:
    """The contract reads imports; this runs them."""
    rooms = "protocols, safety, schedule, boards.reference, engine, driver"
    code = "".join(f"import stimctl.{room.strip()}\n" for room in rooms.split(","))
    code += "import sys; sys.exit(' '.join({'numpy', 'textual', 'scipy'} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
