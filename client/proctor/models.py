"""No model runs before its bytes were hashed: loads what the manifest names, and refuses anything else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from client import manifest
from client.manifest import Asset, Manifest, ModelMissingError, WrongModelError

PAD_WEIGHTS: Final = Path(__file__).with_name("pad.json")
# Of the file with plain line ends, which a checkout on Windows may not have.
PAD_WEIGHTS_SHA256: Final = "0272d646b30afd570eb422efb333e14943a3a97ea1cb1fdd78ddc218ab302619"


@dataclass(frozen=True, slots=True)
class Model:
    """Verified bytes of one model, and the name and hash that events record."""

    name: str
    sha256: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ModelSet:
    """What one worker runs. `pad`, `pad_wide` and `portrait` may be absent: the log says so."""

    detector: Model
    recogniser: Model
    landmarks: Model
    pad: Model | None
    portrait: Model | None
    pad_wide: Model | None = None

    def hashes(self) -> dict[str, str]:
        """Name → sha256 of everything that judges (the demo portrait judges nothing)."""
        judges = (self.detector, self.recogniser, self.landmarks, self.pad, self.pad_wide if self.pad else None)
        found = {model.name: model.sha256 for model in judges if model is not None}
        return found | ({"pad_weights": PAD_WEIGHTS_SHA256} if self.pad else {})


def folders(chosen: Path | None = None) -> tuple[Path, ...]:
    """Where models are looked for: the folder given and no other, or what the installer brought, then the cache."""
    return (chosen,) if chosen else (manifest.BUNDLED, manifest.cache_dir())


def load(asset: Asset, where: Sequence[Path]) -> Model:
    """Return the verified bytes of `asset`; raise `ModelMissingError` (nowhere) or `WrongModelError` (changed)."""
    for folder in where:
        try:
            with (folder / asset.file).open("rb") as file:
                data = file.read(asset.size + 1)
        except OSError:
            continue
        return Model(asset.name, asset.sha256, manifest.verified(asset, data))
    raise ModelMissingError(f"{asset.file} ({asset.use}) is in none of {len(where)} folders")


def load_set(listed: Manifest, chosen: Path | None = None, demo: bool = False) -> ModelSet:
    """Return every model a worker needs. A required one that is missing raises; bytes that are wrong always raise."""
    where = folders(chosen)
    return ModelSet(
        detector=_first(listed.by_use("detector"), where),
        recogniser=_first(listed.by_use("recogniser"), where),
        landmarks=_first(listed.by_use("landmarks"), where),
        pad=_first_or_none(listed.by_use("pad"), where),
        portrait=_first(listed.by_use("demo"), where) if demo else None,
        pad_wide=_first_or_none(listed.by_use("pad_wide"), where),
    )


def pad_weights() -> bytes:
    """How much each cue of PAD counts, as measured; `WrongModelError` for any other file in its place."""
    data = PAD_WEIGHTS.read_bytes().replace(b"\r\n", b"\n")
    found = hashlib.sha256(data).hexdigest()
    if found != PAD_WEIGHTS_SHA256:
        raise WrongModelError(f"{PAD_WEIGHTS.name}: sha256 {found[:16]}…, not {PAD_WEIGHTS_SHA256[:16]}…")
    return data


def _first(assets: Sequence[Asset], where: Sequence[Path]) -> Model:
    found = _first_or_none(assets, where)
    if found is None:
        names = ", ".join(asset.file for asset in assets) or "nothing for this use in the manifest"
        raise ModelMissingError(f"not on this device: {names}")
    return found


def _first_or_none(assets: Sequence[Asset], where: Sequence[Path]) -> Model | None:
    for asset in assets:
        try:
            return load(asset, where)
        except ModelMissingError:
            continue
    return None
