"""The mutator makes the faults that it says it makes, the runner takes no crash for a kill, and a sample is killed."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proving import mutant_campaign
from tests.proving import mutants as runner
from tests.proving.mutant_campaign import IMPORT, Campaign, Knowledge
from tests.proving.mutant_catalogue import function_around, functions, mutants_in, mutants_of, proofs, stale
from tests.proving.mutant_pool import Pool, judge
from tests.proving.mutant_targets import ALL, TARGETS, Target
from tests.proving.mutant_watch import Watch
from tests.proving.mutant_worker import HUNG, Report, Task
from tests.proving.mutation import MODULE, Mutant, members_of_enums, mutants
from tests.proving.planting import ROOT

TINY = '''
"""A docstring."""
from enum import Enum
BOUND: int = 5
class Hue(Enum):
    RED = "red"
    BLUE = "blue"
def f(a: int, b: int = 0) -> bool:
    """Another."""
    if a < b and not b:
        raise ValueError(f"{a} is wrong", "also wrong")
    return Hue.RED in (a, b)
'''

KNOWN = [
    (MODULE, "number", "5 -> 6"),
    (MODULE, "number", "5 -> 4"),
    (MODULE, "number", "5 -> (-5)"),
    ("Hue", "string", "\"red\" -> 'redx'"),
    ("Hue", "string", "\"blue\" -> 'bluex'"),
    ("f", "number", "0 -> 1"),
    ("f", "number", "0 -> (-1)"),
    ("f", "condition", "a < b and not b -> True"),
    ("f", "condition", "a < b and not b -> False"),
    ("f", "boolean", "a < b and not b -> ((a < b) or (not b))"),
    ("f", "operand", "a < b and not b -> ((not b))"),
    ("f", "operand", "a < b and not b -> ((a < b))"),
    ("f", "compare", "< -> <="),
    ("f", "compare", "< -> >="),
    ("f", "negate", "not b -> (b)"),
    ("f", "delete", 'raise ValueError(f"{a} is wrong", "also wrong") -> pass'),
    ("f", "result", "Hue.RED in (a, b) -> True"),
    ("f", "result", "Hue.RED in (a, b) -> False"),
    ("f", "compare", "in -> not in"),
    ("f", "member", "Hue.RED -> Hue.BLUE"),
    ("f", "element", "(a, b) -> (b, )"),
    ("f", "element", "(a, b) -> (a, )"),
]


def made(text: str) -> tuple[Mutant, ...]:
    return mutants("tiny", text.encode(), members_of_enums([ast.parse(text)]))


def edits(text: str) -> set[str]:
    """What is changed in one line of a function."""
    body = textwrap.indent(textwrap.dedent(text), "    ")
    return {each.text for each in made(f"def f(a, b, *c, **d):\n{body}\n")}


# --- the mutator -----------------------------------------------------------------------------------------------


def test_every_mutant_of_a_tiny_module_is_known() -> None:
    found = [(each.name, each.operator, each.text) for each in made(TINY)]
    assert Counter(found) == Counter(KNOWN)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a.x = b", {"a.x = b -> pass"}),
        ("a.x, a.y = b, c", {"a.x, a.y = b, c -> a.y = c", "a.x, a.y = b, c -> a.x = b"}),
        ("a.x = a.y = b", {"a.x = a.y = b -> a.y = b", "a.x = a.y = b -> a.x = b"}),
        ("a.x += b", {"+ -> -", "+ -> ", "a.x += b -> pass"}),
        ("a(b)", {"a(b) -> pass"}),
        ("x = a(b, k=c)", {"a(b, k=c) -> a(b)"}),
        ("x = max(a, b)", {"max -> min"}),
        ("x = any(a)", {"any -> all"}),
        ("x = a[b:]", {"b -> ", "b -> (b) + 1", "b -> (b) - 1"}),
        ("x = a[b + 1]", {"b + 1 -> (b + 1) + 1", "b + 1 -> (b + 1) - 1", "+ -> -", "1 -> 2", "1 -> 0", "1 -> (-1)"}),
        ("x = a // b % a", {"// -> *", "// -> %", "% -> //", "% -> *"}),
        ("x = b'\\xc0a'", {"b'\\xc0a' -> b'\\xc1a'", "b'\\xc0a' -> b'\\xc0'"}),
        ("x = not a", {"not a -> (a)"}),
        ("x = -a", {"-a -> (a)"}),
        ("x = 0.5", {"0.5 -> 0.55", "0.5 -> 0.45", "0.5 -> (-0.5)"}),
        ("x = a is None", {"is -> is not"}),
        ("x = {1: a}", {"1: a -> "}),
        ("with a:\n    b()", {"with a -> if True", "b() -> pass"}),
        ("try:\n    a()\nexcept (b, c):\n    pass", {"(b, c) -> (c, )", "(b, c) -> (b, )"}),
        ("try:\n    a()\nexcept b:\n    pass", {"b -> ()"}),
        ("for x in a:\n    b()", {"a -> ()", " -> break"}),
        ("while a:\n    b()", {"a -> False", " -> break", "a -> (not (a))"}),
        ("x = [y for y in a if y]", {"y -> True", "y -> False", "y -> (not (y))"}),
        ("x = struct.Struct('<BH')", {"< -> >", "B -> b", "H -> h"}),
        ("raise self.refuse(R, a, 'µs without a command')", {"'µs without a command' -> 'µs without a commandx'"}),
        ("if a:\n    return None\nb()", {"return None -> pass"}),
    ],
)
def test_each_kind_of_fault_is_made(text: str, wanted: set[str]) -> None:
    assert wanted <= edits(text)


@pytest.mark.parametrize(
    "text",
    [
        '"""A docstring."""',
        "x: int",
        "import a",
        "assert a == 1",
        "x = f'{1} is {a}'",
        "x = 'the wording of a message'",
        "__all__ = ['a', 'b']",
        "x = TypeVar('x', int, str)",
    ],
)
def test_what_is_left_out_by_rule_is_left_out(text: str) -> None:
    assert edits(text) == set()


def test_leaving_where_the_function_ends_anyway_is_no_fault() -> None:
    assert "return -> pass" not in edits("if a:\n    b()\n    return")
    assert "return -> pass" in edits("for x in a:\n    b()\n    return")
    assert "return -> pass" in edits("try:\n    return\nexcept b:\n    pass\nelse:\n    b()")


def test_an_id_says_nothing_of_lines_and_names_one_mutant() -> None:
    moved = made("\n\nOTHER = 1\n\n" + TINY.replace('"""Another."""', '"""Longer,\n    by a line."""'))
    assert {each.id for each in made(TINY)} <= {each.id for each in moved}
    everything = [each.id for target in TARGETS for each in mutants_of(target)]
    assert len(set(everything)) == len(everything)


def test_a_mutant_is_the_same_text_but_for_one_edit() -> None:
    data = TINY.encode()
    for each in made(TINY):
        source = each.source(data)
        assert source != TINY
        assert source.encode()[: each.edit.start] == data[: each.edit.start]
        assert source.encode().endswith(data[each.edit.end :])
        ast.parse(source)


# --- what is mutated -------------------------------------------------------------------------------------------


def test_a_target_whose_function_is_gone_is_an_error() -> None:
    gone = Target("gone", {"stimctl.driver.line": ("Line.stop", "Line.halt")}, ())
    with pytest.raises(ValueError, match=r"has no Line\.halt"):
        mutants_of(gone)


def test_every_module_that_is_mutated_in_part_says_why() -> None:
    for target in TARGETS:
        assert {module for module, names in target.parts.items() if names != ALL} == set(target.why)
        assert all((ROOT / "tests" / f"{name}.py").exists() for name in target.tests)


def test_where_a_mutant_acts() -> None:
    found = {each.text: function_around(each) for each in mutants_in("stimctl.driver.line")}
    assert found["not approved.is_live() -> True"] == "Line.say_approved"
    assert found["0.05 -> (-0.05)"] == ""
    assert functions("stimctl.driver.line")["Line"].is_class


def test_a_function_that_runs_while_files_are_imported_is_planted() -> None:
    mutant = next(each for each in mutants_in("stimctl.driver.line") if each.name == "Line.stop")
    knowledge = Knowledge(())
    assert knowledge.acts_in_tests(mutant)
    knowledge.note(Report("green", reach={"": ["stimctl.driver.line:Line.stop"]}))
    assert not knowledge.acts_in_tests(mutant)


# --- equivalent mutants ----------------------------------------------------------------------------------------


def test_proofs_are_of_mutants_that_exist() -> None:
    everything = [each for target in TARGETS for each in mutants_of(target)]
    assert stale(proofs(), everything) == []


def test_a_stale_or_empty_proof_is_found() -> None:
    (mutant, *_) = found = made(TINY)
    proof = "It changes nothing that anybody could see."
    assert stale({mutant.id: {"mutant": mutant.text, "proof": proof}}, found) == []
    for entry, says in (
        ({"gone": {"mutant": mutant.text, "proof": proof}}, "there is no mutant gone"),
        ({mutant.id: {"mutant": "5 -> 7", "proof": proof}}, "is now '5 -> 6'"),
        ({mutant.id: {"mutant": mutant.text, "proof": "Trust me."}}, "has no proof"),
    ):
        (wrong,) = stale(entry, found)
        assert says in wrong


# --- the runner ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "status", "end"),
    [
        (b'{"end": "test", "by": "a"}', 0, "test"),
        (b'{"end": "crash", "by": "a"}', 0, "crash"),
        (b"", 0, "crash"),
        (b'{"end": "test", "by": "a"}', 1 << 8, "crash"),
        (b'{"end": "test", "by": "a"}', signal.SIGSEGV, "crash"),
        (b"", signal.SIGKILL, "crash"),
        (b"", signal.SIGXCPU, "timeout"),
        (b"", HUNG << 8, "timeout"),
    ],
)
def test_a_crash_is_no_kill(heard: bytes, status: int, end: str) -> None:
    assert judge(heard, status, "said").end == end


CRASHING = """
import os, signal
from tests.proving.mutant_pool import Pool
from tests.proving.mutant_worker import Task
def work(task, answer):
    if task.name:
        os.kill(os.getpid(), getattr(signal, task.name))
    os._exit(3)
tasks = [(name, Task(name=name)) for name in ("SIGSEGV", "SIGKILL", "SIGXCPU", "")]
for name, report in Pool(2, work).map(iter(tasks)):
    print(name, report.end)
"""


def test_a_worker_that_dies_is_a_failed_run_and_the_others_go_on() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", CRASHING], env=env, capture_output=True, text=True, check=True)
    assert sorted(ran.stdout.split("\n")[:-1]) == [" crash", "SIGKILL crash", "SIGSEGV crash", "SIGXCPU timeout"]


def test_test_files_that_cannot_be_imported_without_a_mutant_judge_nothing(tmp_path: Path) -> None:
    """With fewer tests than there are, what survives says little, and what crashes nothing."""
    campaign = Campaign(TARGETS[0], mutants_of(TARGETS[0])[:3], workers=1, folder=tmp_path)
    broken = Report("crash", "a test file is broken")
    assert list(campaign._drive(broken, Pool(1))) == [(IMPORT, broken)]
    assert not campaign._is_green(broken)
    assert "a test file is broken" in campaign.red


def test_a_failed_run_or_a_survivor_or_a_kill_of_what_was_proven_is_no_success() -> None:
    (mutant, *_) = made(TINY)
    proof = {mutant.id: {"mutant": mutant.text, "proof": "It changes nothing."}}
    for end, entries, good in (
        ("test", {}, True),
        ("import", {}, True),
        ("timeout", {}, True),
        ("green", proof, True),
        ("green", {}, False),
        ("crash", {}, False),
        ("crash", proof, False),
        ("test", proof, False),
    ):
        tally = runner.Tally("tiny")
        tally.ends[end] += 1
        runner._note(tally, mutant, Report(end, "somebody"), entries)
        assert (not tally.failures and all(row.good for row in tally.rows())) is good, (end, bool(entries))


def test_a_watch_tells_by_test_which_lines_ran_and_leaves_other_modules_alone() -> None:
    watch, before = Watch(["tests.proving.mutant_pool"]), sys.gettrace()
    watch.begin()
    try:
        watch.turn_to("killed")
        judge(b"", signal.SIGKILL, "")
        watch.turn_to("hung")
        judge(b"", HUNG << 8, "")
        watch.turn_to("hung again")
        judge(b"", HUNG << 8, "")
    finally:
        watch.end()
        sys.settrace(before)
    lines = {test: found - {"tests.proving.mutant_pool:judge"} for test, found in watch.reach.items()}
    assert all(found >= {"tests.proving.mutant_pool:judge"} for test, found in watch.reach.items() if test)
    assert lines["hung"] == lines["hung again"]
    assert lines["killed"] - lines["hung"]
    assert lines["hung"] - lines["killed"]
    assert not lines[""]


def test_first_come_the_tests_that_run_the_line_and_none_is_left_out() -> None:
    mutant = next(each for each in mutants_in("stimctl.driver.line") if each.name == "Line.stop")
    function, line = f"{mutant.module}:Line.stop", f"{mutant.module}@{mutant.line}"
    knowledge = Knowledge(("f.py",))
    reach = {"f.py::quick": [function], "f.py::slow": [function, line], "f.py::other": []}
    knowledge.note(Report("green", reach=reach, seconds={"f.py::quick": 0.1, "f.py::slow": 2.0, "f.py::other": 0.1}))
    knowledge.learn(mutant, Report("test", "f.py::quick"))
    task = knowledge.task(mutant)
    assert task.first == ("f.py::slow", "f.py::quick")
    assert task.only == {"f.py::quick", "f.py::slow"}
    assert task.cpu_s["f.py::slow"] > task.cpu_s["f.py::quick"]


@pytest.mark.parametrize(("at_first", "then"), [("green", ("a.py", "c.py")), ("crash", ("a.py", "b.py", "c.py"))])
def test_what_the_likeliest_file_does_not_kill_is_tried_by_the_others(
    monkeypatch: pytest.MonkeyPatch, at_first: str, then: tuple[str, ...]
) -> None:
    """Mutants that a process of its own has to import: one file is imported at first, and nothing is judged by that."""
    mutant = next(each for each in mutants_in("stimctl.driver.line") if not function_around(each))
    tried: list[tuple[str, ...]] = []

    class OneOfThree(Pool):
        def map(self, tasks: Iterator[tuple[Any, Task]]) -> Iterator[tuple[Any, Report]]:
            for note, task in tasks:
                tried.append(task.files)
                yield note, Report("test", "c") if "c.py" in task.files else Report(at_first)

    monkeypatch.setattr(mutant_campaign, "Pool", OneOfThree)
    campaign = Campaign(TARGETS[0], [mutant], workers=1, folder=Path())
    campaign._files, campaign._knowledge = (), Knowledge(("a.py", "b.py", "c.py"))
    campaign._knowledge.note(Report("green", seconds={"b.py::quick": 0.1, "a.py::slow": 1.0}))
    assert [(each.id, report.end) for each, report in campaign._planted([mutant])] == [(mutant.id, "test")]
    assert tried == [("b.py",), then]


@pytest.mark.timeout(600)  # a process of its own, with a bound of its own for every test in it
def test_a_sample_of_each_target_is_killed() -> None:
    """One process for all targets: what it imports and finds to mutate costs as much as the sample itself."""
    outcome = runner.run(("--sample", "3", "--workers", "1"))
    assert outcome.good, outcome.failures
    counts = {row.what: row.count for row in outcome.rows}
    assert {target.name: counts[f"{target.name}: mutants"] for target in TARGETS} == {
        target.name: 3 for target in TARGETS
    }
