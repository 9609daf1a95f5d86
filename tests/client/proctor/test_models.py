"""No model runs before its bytes were hashed."""

from __future__ import annotations

from pathlib import Path

import pytest

from client import manifest
from client.manifest import Manifest, ModelMissingError, WrongModelError
from client.proctor import models


@pytest.fixture
def own_folder(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of links that a test may spoil; no other folder has models."""
    for path in model_folder.iterdir():
        (tmp_path / path.name).symlink_to(path.resolve())
    monkeypatch.setenv(manifest.ENV, str(tmp_path))
    return tmp_path


def test_every_model_comes_with_the_hash_that_events_record(own_folder: Path, listed: Manifest) -> None:
    """What judges is named by sha256; the demonstration's portrait judges nothing and is not among them."""
    loaded = models.load_set(listed, demo=True)
    by_name = {asset.name: asset.sha256 for asset in listed.assets}
    names = ("yunet", "sface", "landmarker", "minifasnet_export")
    weights = {"pad_weights": models.PAD_WEIGHTS_SHA256}
    assert loaded.hashes() == {name: by_name[name] for name in names} | weights
    assert loaded.portrait is not None


@pytest.mark.parametrize("use", ["detector", "recogniser", "landmarks", "pad"])
def test_a_model_with_one_changed_byte_is_refused(own_folder: Path, listed: Manifest, use: str) -> None:
    """Also the optional one: absent is said in the log, changed is never used."""
    asset = next(one for one in listed.by_use(use) if (own_folder / one.file).exists())
    data = bytearray((own_folder / asset.file).read_bytes())
    data[len(data) // 2] ^= 1
    (own_folder / asset.file).unlink()
    (own_folder / asset.file).write_bytes(data)
    with pytest.raises(WrongModelError, match=asset.file):
        models.load_set(listed)


def test_a_longer_file_is_refused_without_reading_it_all(own_folder: Path, listed: Manifest) -> None:
    """A file that goes on after the model is another file."""
    asset = listed.by_use("detector")[0]
    data = (own_folder / asset.file).read_bytes()
    (own_folder / asset.file).unlink()
    (own_folder / asset.file).write_bytes(data + b"x")
    with pytest.raises(WrongModelError):
        models.load_set(listed)


def test_a_missing_model_is_named_with_its_remedy(own_folder: Path, listed: Manifest) -> None:
    """The learner reads one sentence and what to do."""
    asset = listed.by_use("recogniser")[0]
    (own_folder / asset.file).unlink()
    with pytest.raises(ModelMissingError, match=asset.file) as refused:
        models.load_set(listed)
    assert "models fetch" in refused.value.remedy


def test_pad_may_be_absent(own_folder: Path, listed: Manifest) -> None:
    """Then it is not among the hashes that the log holds."""
    for asset in listed.by_use("pad"):
        (own_folder / asset.file).unlink(missing_ok=True)
    assert set(models.load_set(listed).hashes()) == {"yunet", "sface", "landmarker"}


def test_changed_weights_of_pad_judge_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much each cue counts was measured; another file is refused like another model, line ends apart."""
    changed = tmp_path / "pad.json"
    whole = models.PAD_WEIGHTS.read_bytes()
    monkeypatch.setattr(models, "PAD_WEIGHTS", changed)
    changed.write_bytes(whole.replace(b"\n", b"\r\n"))
    assert models.pad_weights() == whole
    changed.write_bytes(whole.replace(b"0.45", b"0.46"))
    with pytest.raises(WrongModelError, match=r"pad\.json"):
        models.pad_weights()
