import numpy as np
import pytest

from tfgan_suite.metrics import cache

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2], np.int32)}


def test_what_is_written_is_read(tmp_path):
    cache.write(tmp_path / "deep" / "entry.npz", ARRAYS, {"count": 2})
    arrays, meta = cache.read(tmp_path / "deep" / "entry.npz")
    assert meta == {"count": 2} and arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_a_missing_entry_is_no_entry(tmp_path):
    assert cache.read(tmp_path / "entry.npz") is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "text", "empty"])
def test_a_damaged_entry_is_no_entry_and_warns(tmp_path, damage):
    path = tmp_path / "entry.npz"
    cache.write(path, ARRAYS, {})
    content = bytearray(path.read_bytes())
    position = content.find(np.float64(4.0).tobytes())
    content[position + 6] ^= 1
    path.write_bytes({"truncate": content[: len(content) // 2], "flip": content, "text": b"not an archive", "empty": b""}[damage])
    with pytest.warns(UserWarning, match="entry.npz is damaged"):
        assert cache.read(path) is None


def test_a_failed_write_leaves_the_old_entry_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "entry.npz"
    cache.write(path, ARRAYS, {"version": 1})
    monkeypatch.setattr(cache.np, "savez", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        cache.write(path, ARRAYS, {"version": 2})
    assert cache.read(path)[1] == {"version": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["entry.npz"]


def test_the_fingerprint_sees_names_types_shapes_and_values():
    changes = [
        {"c": ARRAYS["a"], "b": ARRAYS["b"]},
        ARRAYS | {"a": ARRAYS["a"].astype(np.float32)},
        ARRAYS | {"a": ARRAYS["a"].T},
        ARRAYS | {"a": ARRAYS["a"] + 1},
    ]
    assert len({cache.fingerprint(arrays) for arrays in [ARRAYS, *changes]}) == 5
    assert cache.fingerprint(dict(reversed(ARRAYS.items()))) == cache.fingerprint(ARRAYS)


def test_the_key_changes_with_every_part():
    assert len({cache.key("a", 1, [2]), cache.key("a", 2, [2]), cache.key("a", 1, [3]), cache.key("b", 1, [2])}) == 4
