"""The numbers that judge, by the names of `models.toml`; a signed policy may set any of them, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from client.manifest import Manifest, ManifestError


@dataclass(frozen=True, slots=True)
class Limits:
    """One field a threshold, in the unit that `models.toml` states."""

    match: int
    other: int
    drift_from: int
    drift_least: int
    pad: int
    far: int
    close: int
    dark: int
    bright: int
    black: int
    flat: int
    sharp: int
    facing: int
    hidden: int
    turn: int
    calm_yaw: int
    up: int
    calm_pitch: int
    blink_closed: int
    blink_rise: int
    blink_calm: int
    blink_ms: int
    mouth_open: int
    mouth_rise: int
    mouth_shut: int
    smile: int
    smile_none: int
    calm_ms: int
    reaction_ms: int
    gesture_ms: int
    wait_ms: int
    gap_ms: int
    slips: int
    looks: int
    pad_frames: int
    pad_lips: int
    enrol_looks: int


def limits(listed: Manifest, policy: Mapping[str, int] | None = None, engine: str = "") -> Limits:
    """The numbers of the manifest, of `engine` where it has its own, and the policy's over them.

    `ManifestError` when one is missing or unknown.
    """
    values = listed.values(policy, engine)
    wrong = set(values) ^ {field.name for field in fields(Limits)}
    if wrong:
        raise ManifestError(f"threshold {sorted(wrong)[0]!r} is missing or unknown")
    return Limits(**values)
