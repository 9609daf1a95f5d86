"""ROC and DET plots for the docs: `python build/plots.py --report report.json [--pad pad.json] --out docs/plots`.

Reads what `client.proctor.evaluate` and `build/bench_pad.py` wrote. Needs matplotlib, which the product does not: it
comes with mediapipe and is imported here alone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

mpl.rcParams["svg.hashsalt"] = "trueseat"  # the same file for the same figures


def curves(found: dict[str, list[list[float]]], words: tuple[str, str, str], path: Path) -> None:
    """One DET plot of (false acceptance, false rejection) points, both axes logarithmic."""
    title, x, y = words
    figure, axes = plt.subplots(figsize=(5, 4))
    for name, points in found.items():
        axes.plot([max(p[0], 1e-6) for p in points], [max(p[1], 1e-4) for p in points], marker=".", label=name)
    axes.set(xscale="log", yscale="log", xlabel=x, ylabel=y, title=title)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def bins(found: dict[str, dict[str, dict[str, Any]]], title: str, path: Path) -> None:
    """Who is turned away, by light and by apparent tone: one point a bin with its 95 % interval and its n."""
    rows = [(f"{by}: {name}\nn = {one['frames']}", one) for by, part in found.items() for name, one in part.items()]
    figure, axes = plt.subplots(figsize=(6, 3.6))
    for i, (_, one) in enumerate(rows):
        axes.plot([i, i], one["bpcer_95"], color="tab:blue", linewidth=2)
        axes.plot(i, one["bpcer"], "o", color="tab:blue")
    axes.set_xticks(range(len(rows)), [label for label, _ in rows])
    axes.set(ylim=(-0.02, 1), ylabel="BPCER of a window (95 %)", title=title)
    axes.grid(visible=True, axis="y", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Draw what is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--pad", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = json.loads(options.report.read_text(encoding="utf-8"))
    if "faces" in report:
        words = ("Is it the enrolled person? One picture against one", "FMR", "FNMR")
        curves({"LFW, every pair": report["faces"]["roc"]}, words, options.out / "faces.svg")
    pad = json.loads(options.pad.read_text(encoding="utf-8")) if options.pad else {}
    if pad:
        bins(pad["windows_by"], "Living faces turned away in a challenge", options.out / "pad_by.svg")
    found = {"printed photos (real), a frame": report["presentation"]["roc"]} if "presentation" in report else {}
    found |= pad.get("roc", {})
    if found:
        curves(found, ("Living face or picture? A frame", "APCER", "BPCER"), options.out / "pad.svg")


if __name__ == "__main__":
    main()
