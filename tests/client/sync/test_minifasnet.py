"""The PAD model is made of its makers' weights by arithmetic alone, and computes what their layers say."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from client import manifest
from client.manifest import WrongModelError
from client.sync import minifasnet

# A network of MiniFASNetV2's shape with few channels: name → (out, in per group, kernel, has a PReLU)
LAYERS = {
    "conv1": (4, 3, 3, True), "conv2_dw": (4, 1, 3, True),
    "conv_23.conv": (6, 4, 1, True), "conv_23.conv_dw": (6, 1, 3, True), "conv_23.project": (5, 6, 1, False),
    "conv_3.model.0.conv": (3, 5, 1, True), "conv_3.model.0.conv_dw": (3, 1, 3, True),
    "conv_3.model.0.project": (5, 3, 1, False),
    "conv_34.conv": (4, 5, 1, True), "conv_34.conv_dw": (4, 1, 3, True), "conv_34.project": (5, 4, 1, False),
    "conv_45.conv": (4, 5, 1, True), "conv_45.conv_dw": (4, 1, 3, True), "conv_45.project": (5, 4, 1, False),
    "conv_6_sep": (8, 5, 1, True), "conv_6_dw": (8, 1, 5, False),
}  # fmt: skip
SQUEEZE = "conv_3.model.0.se_module"
HALVING = {"conv1", "conv_23.conv_dw", "conv_34.conv_dw", "conv_45.conv_dw"}


class Storage:
    """Stands for torch's storage in the pickle."""

    def __init__(self, key: str, values: np.ndarray[Any, Any]) -> None:
        self.key, self.values = key, values


class Tensor:
    """Stands for torch's tensor in the pickle."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def __reduce__(self) -> Any:
        shape = self.storage.values.shape
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2  # type: ignore[attr-defined]
        return rebuild, (self.storage, 0, shape, (1,) * len(shape), False, OrderedDict())


class Pickler(pickle.Pickler):
    """Writes storages as torch does: by name, their numbers apart."""

    def persistent_id(self, thing: Any) -> Any:
        if isinstance(thing, Storage):
            form = sys.modules["torch"].FloatStorage  # type: ignore[attr-defined]
            return ("storage", form, thing.key, "cpu", thing.values.size, None)
        return None


@pytest.fixture
def torch() -> Iterator[None]:
    """Names that the pickle refers to, without torch."""
    top, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    top.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})  # type: ignore[attr-defined]

    def rebuild(*_: Any) -> None: ...

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    rebuild.__name__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]
    sys.modules.update({"torch": top, "torch._utils": utils})
    yield
    del sys.modules["torch"], sys.modules["torch._utils"]


def weights(squeezed: bool = False) -> dict[str, np.ndarray[Any, Any]]:
    """Random weights, with norms that matter; `squeezed` as in V1SE, where a block weighs its channels."""
    draw = np.random.default_rng(7)
    found: dict[str, Any] = {}

    def norm(name: str, size: int) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = draw.uniform(0.5, 1.5, size), draw.normal(0, 0.3, size)
        found[f"{name}.running_mean"], found[f"{name}.running_var"] = (
            draw.normal(0, 1, size),
            draw.uniform(0.5, 2, size),
        )

    for name, (out, into, kernel, slope) in LAYERS.items():
        found[f"{name}.conv.weight"] = draw.normal(0, 0.4, (out, into, kernel, kernel))
        norm(f"{name}.bn", out)
        if slope:
            found[f"{name}.prelu.weight"] = draw.uniform(0, 0.5, out)
    if squeezed:
        found[f"{SQUEEZE}.fc1.weight"] = draw.normal(0, 0.6, (2, 5, 1, 1))
        found[f"{SQUEEZE}.fc2.weight"] = draw.normal(0, 0.6, (5, 2, 1, 1))
        norm(f"{SQUEEZE}.bn1", 2)
        norm(f"{SQUEEZE}.bn2", 5)
    found["linear.weight"] = draw.normal(0, 0.4, (7, 8))
    norm("bn", 7)
    found["prob.weight"] = draw.normal(0, 0.4, (3, 7))
    return {name: value.astype(np.float32) for name, value in found.items()}


def written(values: dict[str, np.ndarray[Any, Any]]) -> bytes:
    """The weights as a file in torch's older format."""
    storages = {name: Storage(str(i), value) for i, (name, value) in enumerate(values.items())}
    file = io.BytesIO()
    for head in (minifasnet.MAGIC, 1001, {"little_endian": True}):
        pickle.dump(head, file, 2)
    Pickler(file, 2).dump(OrderedDict((f"module.{name}", Tensor(one)) for name, one in storages.items()))
    pickle.dump([one.key for one in storages.values()], file, 2)
    for one in storages.values():
        file.write(struct.pack("<q", one.values.size) + one.values.astype("<f4").tobytes())
    return file.getvalue()


def forward(values: dict[str, np.ndarray[Any, Any]], picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The network by its definition: convolution, norm, PReLU, residual blocks, two dense layers."""

    def norm(x: Any, name: str) -> Any:
        w, b, m, v = (values[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
        shape = (-1, *(1,) * (x.ndim - 1))
        return (x - m.reshape(shape)) / np.sqrt(v.reshape(shape) + 1e-5) * w.reshape(shape) + b.reshape(shape)

    x, block = picture.astype(np.float64), None
    for name, (out, into, kernel, slope) in LAYERS.items():
        block = x if name.endswith(".conv") and ".model." in name else block
        pad, step = {1: 0, 3: 1, 5: 0}[kernel], 2 if name in HALVING else 1
        padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))[:, ::step, ::step]
        weight = values[f"{name}.conv.weight"]
        x = (
            np.einsum("cyxij,cij->cyx", windows, weight[:, 0])
            if into == 1
            else np.einsum("cyxij,ocij->oyx", windows, weight)
        )
        assert len(x) == out
        x = norm(x, f"{name}.bn")
        if slope:
            x = np.where(x > 0, x, x * values[f"{name}.prelu.weight"].reshape(-1, 1, 1))
        if name == "conv_3.model.0.project" and f"{SQUEEZE}.fc1.weight" in values:
            few = np.maximum(
                norm(values[f"{SQUEEZE}.fc1.weight"][:, :, 0, 0] @ x.mean(axis=(1, 2)), f"{SQUEEZE}.bn1"), 0
            )
            many = norm(values[f"{SQUEEZE}.fc2.weight"][:, :, 0, 0] @ few, f"{SQUEEZE}.bn2")
            x = x / (1 + np.exp(-many))[:, None, None]
        x = x + block if name.endswith(".project") and ".model." in name else x
    return values["prob.weight"] @ norm(values["linear.weight"] @ x.ravel(), "bn")


@pytest.mark.parametrize("squeezed", [False, True], ids=["V2", "V1SE"])
def test_the_made_network_computes_what_its_layers_say(torch: None, squeezed: bool) -> None:
    """Norms folded, strides and paddings in place, blocks added: equal to the definition on random pictures."""
    values = weights(squeezed)
    data = written(values)
    made = minifasnet.convert(data, hashlib.sha256(data).hexdigest())
    net = cv2.dnn.readNetFromONNX(np.frombuffer(made, np.uint8))
    for seed in range(3):
        picture = np.random.default_rng(seed).uniform(0, 255, (3, 80, 80)).astype(np.float32)
        net.setInput(picture[None])
        assert net.forward().ravel() == pytest.approx(forward(values, picture), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("squeezed", [False, True], ids=["V2", "V1SE"])
def test_the_same_weights_make_the_same_bytes(torch: None, squeezed: bool) -> None:
    """So that the result has one sha256, which the manifest pins."""
    data = written(weights(squeezed))
    digest = hashlib.sha256(data).hexdigest()
    assert minifasnet.convert(data, digest) == minifasnet.convert(data, digest)


def test_weights_with_another_hash_are_not_even_unpickled() -> None:
    """A pickle can run anything: first the hash."""
    with pytest.raises(WrongModelError, match="sha256"):
        minifasnet.convert(pickle.dumps(print), "00" * 32)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pickle.dumps(minifasnet.MAGIC) + pickle.dumps(1) + pickle.dumps(2) + pickle.dumps(print),
        lambda: pickle.dumps(5),
        lambda: b"",
        lambda: b"no pickle at all",
        lambda: pickle.dumps(minifasnet.MAGIC),
    ],
    ids=["calls print", "no magic", "empty", "noise", "cut"],
)
def test_what_is_no_weights_is_our_error(make: Callable[[], bytes]) -> None:
    """Even with the right hash only four names can be called, and only our error comes out."""
    data = make()
    with pytest.raises(WrongModelError):
        minifasnet.convert(data, hashlib.sha256(data).hexdigest())


def test_the_made_model_says_what_the_exported_one_says(shared: Path) -> None:
    """Equal to 1e-4 on the makers' own samples."""
    made = manifest.cache_dir() / "MiniFASNetV2-made.onnx"
    if not made.is_file():
        pytest.skip("left out: needs the fetched models (python -m client models fetch --developer)")
    ours = cv2.dnn.readNetFromONNX(str(made))
    theirs = cv2.dnn.readNetFromONNX(str(shared / "faces" / "models" / "MiniFASNetV2.onnx"))
    for path in (shared / "faces" / "pad_samples").iterdir():
        crop = cv2.resize(cv2.imread(str(path)), (80, 80)).astype(np.float32).transpose(2, 0, 1)[None]
        ours.setInput(crop)
        theirs.setInput(crop)
        assert ours.forward().ravel() == pytest.approx(theirs.forward().ravel(), abs=1e-4)
