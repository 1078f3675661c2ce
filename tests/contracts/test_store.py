"""Result files: what was saved is what is loaded, or one line says why not."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from numerics.store import StoreError, load, save


@pytest.fixture
def data() -> xr.Dataset:
    rng = np.random.default_rng(3)
    return xr.Dataset(
        {"q": (("alpha", "solution"), rng.normal(size=(50, 2))), "status": (("alpha", "solution"), np.full((50, 2), "converged"))},
        coords={"alpha": np.linspace(0.1, 10, 50)}, attrs={"theory": "test", "fingerprint": "abc"},
    )


def test_round_trip(data, tmp_path):
    loaded = load(save(data, tmp_path / "out.nc"))
    xr.testing.assert_equal(loaded, data)
    assert loaded.attrs["fingerprint"] == "abc" and "conventions" in loaded.attrs
    assert [f.name for f in tmp_path.iterdir()] == ["out.nc"]


def test_missing_foreign_empty_and_truncated_files(data, tmp_path):
    with pytest.raises(StoreError, match="No such file"):
        load(tmp_path / "nothing.nc")
    data.to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(StoreError, match="not a result file of this program"):
        load(tmp_path / "foreign.nc")
    whole = save(data, tmp_path / "out.nc").read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 100):
        (tmp_path / "short.nc").write_bytes(whole[:size])
        with pytest.raises(StoreError, match=r"short\.nc") as caught:
            load(tmp_path / "short.nc")
        assert "\n" not in str(caught.value)


def test_a_flipped_byte_is_never_read_as_numbers(data, tmp_path):
    whole = bytearray(save(data, tmp_path / "out.nc").read_bytes())
    rng = np.random.default_rng(5)
    for place in rng.integers(0, len(whole), 60):
        damaged = whole.copy()
        damaged[place] ^= 0x10
        (tmp_path / "flip.nc").write_bytes(damaged)
        try:
            loaded = load(tmp_path / "flip.nc")
        except StoreError:
            continue
        xr.testing.assert_equal(loaded, data)  # the flip hit padding or free space


def test_a_full_disk_leaves_the_old_file(data, tmp_path):
    target = save(data, tmp_path / "out.nc")
    before = target.read_bytes()
    code = f"""
import resource, signal
import numpy as np, xarray as xr
from numerics.store import StoreError, save
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
try:
    save(xr.Dataset({{"q": ("x", np.random.default_rng(0).normal(size=100000))}}), {str(target)!r})
except StoreError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "cannot be written" in run.stdout and "nothing was changed" in run.stdout and run.stdout.count("\n") == 1, run.stderr
    assert target.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20000 and signal.SIGXFSZ


def test_a_missing_folder_is_named(data, tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        save(data, tmp_path / "nowhere" / "out.nc")


def test_only_files_are_replaced(data, tmp_path):
    os.mkfifo(tmp_path / "pipe.nc")
    (tmp_path / "link.nc").symlink_to("/dev/null")
    (tmp_path / "folder.nc").mkdir()
    before = sorted(tmp_path.iterdir())
    for name in ("pipe.nc", "link.nc", "folder.nc"):
        with pytest.raises(StoreError, match=rf"{name}: is a (device or pipe|folder), not a file"):
            save(data, tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before and (tmp_path / "link.nc").is_symlink() and (tmp_path / "pipe.nc").is_fifo()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_the_umask_says_who_may_read(data, tmp_path, mask, mode):
    old = os.umask(mask)
    try:
        assert save(data, tmp_path / "out.nc").stat().st_mode & 0o777 == mode
    finally:
        os.umask(old)
