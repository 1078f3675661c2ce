"""The kernel cache: warm without lowering, mends what is damaged, refuses what is not its own."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from numerics import compile as compiler
from numerics.cache import CacheError, KernelCache
from numerics.compile import compile_program
from numerics.program import Loop, Program, Rule, Sum
from tests.contracts.graph_programs import bayes_sign, random_program

ROOT = Path(__file__).parents[2]


def tiny() -> Program:
    x, t = sp.Symbol("x", real=True), sp.Dummy("t", real=True)
    return Program((x,), (), (Sum(sp.exp(-x * t), t),), {"double": 2 * x}, (Loop(t, Rule.COUNT),), (x,))


def call(module, p):
    off = np.array([0, 5])
    out = np.zeros(8)
    count = module.residual(np.array(p, float), np.arange(5.0), np.ones(5), off, np.zeros(module.scratch(off)), out)
    return count, out


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "kernels"
    assert not compile_program(tiny(), cache=folder).warm
    return folder


def entry(folder: Path) -> Path:
    (found,) = (f for f in folder.iterdir() if f.is_dir())
    return found


def correct(module) -> bool:
    count, out = call(module, [0.5])
    decay = np.exp(-0.5 * np.arange(5))
    return count == 2 and abs(out[0] - (0.5 - decay.sum())) < 1e-14 and abs(out[1] - (1 + (np.arange(5) * decay).sum())) < 1e-13


def test_second_time_is_warm_and_needs_no_lowering(filled, monkeypatch):
    def refuse(*_):
        raise AssertionError("a warm start must not lower")

    monkeypatch.setattr(compiler, "kernel_text", refuse)
    module = compile_program(tiny(), cache=filled)
    assert module.warm
    assert correct(module)
    assert (module.unknowns, module.values_order, module.constraints) == (("x",), ("double",), 1)
    assert module.loops[0].rule is Rule.COUNT
    assert module.exact(30).residual(["0.5"], ["0", "1"], ["1", "1"], [0, 2])[0] < 0


@pytest.mark.parametrize("harm", ["empty", "truncate", "flip", "remove", "manifest"])
def test_damage_mends_itself(filled, harm):
    folder = entry(filled)
    victim = folder / ("kernel.json" if harm == "manifest" else "kernel.o")
    raw = victim.read_bytes()
    if harm == "empty":
        victim.write_bytes(b"")
    elif harm == "remove":
        victim.unlink()
    elif harm == "flip":
        victim.write_bytes(raw[: len(raw) // 2] + bytes([raw[len(raw) // 2] ^ 4]) + raw[len(raw) // 2 + 1 :])
    else:
        victim.write_bytes(raw[: len(raw) // 2])
    module = compile_program(tiny(), cache=filled)
    assert not module.warm
    assert correct(module)
    assert compile_program(tiny(), cache=filled).warm


def test_folder_is_private(filled):
    assert stat.S_IMODE(filled.stat().st_mode) == 0o700


def test_foreign_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(CacheError, match="belongs to user"):
        KernelCache(tmp_path)


def test_environment_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("REPLICA_CACHE", str(tmp_path / "here"))
    assert KernelCache().folder == tmp_path / "here"
    monkeypatch.delenv("REPLICA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    if sys.platform == "linux":
        assert KernelCache().folder == tmp_path / "xdg" / "replica-engine"


def test_other_program_other_kernel(filled):
    x, t = sp.Symbol("x", real=True), sp.Dummy("t", real=True)
    other = Program((x,), (), (Sum(sp.exp(-x * t) / 3, t),), {"double": 2 * x}, (Loop(t, Rule.COUNT),), (x,))
    module = compile_program(other, cache=filled)
    assert not module.warm
    assert call(module, [0.5])[1][0] == pytest.approx(0.5 - np.exp(-0.5 * np.arange(5)).sum() / 3, rel=1e-14)


def test_identity_is_the_same_in_another_process():
    code = (
        "from tests.contracts.graph_programs import bayes_sign, random_program\nfrom numerics.graph.identity import program_identity\n"
        "print([program_identity(bayes_sign()), program_identity(random_program(3, 2))])"
    )
    hashes = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        hashes.add(done.stdout)
    assert len(hashes) == 1
    from numerics.graph.identity import program_identity

    assert str([program_identity(bayes_sign()), program_identity(random_program(3, 2))]) == hashes.pop().strip()


def test_manifest_is_plain_json(filled):
    noted = json.loads(json.loads((entry_of_tiny(filled) / "kernel.json").read_text())["noted"])
    assert noted["notes"]["unknowns"] == ["x"]


def entry_of_tiny(folder: Path) -> Path:
    return next(f for f in folder.iterdir() if f.is_dir() and "double" in (f / "kernel.json").read_text())
