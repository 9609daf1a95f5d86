"""Makes the PAD models' ONNX files out of their makers' own weights, without torch: the same bytes on every machine.

The weights are MiniFASNetV2's or MiniFASNetV1SE's `.pth` in torch's older file format: four pickles, then the storages.
They are unpickled only after their sha256 was the pinned one, and then by an unpickler that knows four names. Batch
norms are folded into the layers before them; the arithmetic is that of IEEE doubles, rounded once, so the result has
one sha256.
"""

from __future__ import annotations

import hashlib
import io
import math
import pickle  # for bytes of a pinned sha256 only, and only the names of `_Weights.find_class`
import struct
import sys
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from client.manifest import WrongModelError
from client.sync import onnx_file

MAGIC: Final = 0x1950A86A20F9469CFC6C
EPSILON: Final = 1e-5  # torch's BatchNorm
HALVING: Final = ("conv1", "conv_23.conv_dw", "conv_34.conv_dw", "conv_45.conv_dw")  # layers with stride 2
PADDING: Final = {1: 0, 3: 1, 5: 0}  # by kernel; the last layer's 5 × 5 sees the whole 5 × 5 map
INPUT: Final = (3, 80, 80)
CLASSES: Final = (3,)


def convert(weights: bytes, sha256: str) -> bytes:
    """Return the ONNX file made of `weights`, or raise `WrongModelError` if they are not the pinned ones."""
    found = hashlib.sha256(weights).hexdigest()
    if found != sha256:
        raise WrongModelError(f"weights with sha256 {found[:16]}…, not {sha256[:16]}…")
    try:
        return _Net(_read(weights)).build()
    except (pickle.UnpicklingError, ValueError, KeyError, IndexError, TypeError, EOFError, struct.error) as error:
        raise WrongModelError(f"not MiniFASNetV2's weights ({type(error).__name__})") from error


# --- reading the weights ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tensor:
    """Numbers in row-major order."""

    shape: tuple[int, ...]
    values: Sequence[float]

    def data(self) -> bytes:
        """Little-endian float32."""
        numbers = array("f", self.values)
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers.tobytes()


@dataclass(slots=True)
class _Storage:
    """A named run of numbers; filled after the pickles."""

    form: str
    size: int
    values: Sequence[float] = field(default_factory=tuple)


class _Weights(pickle.Unpickler):
    """Knows an ordered dict, two kinds of storage and how a tensor is put together; any other name ends it."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        known: Mapping[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch", "FloatStorage"): "f",
            ("torch", "LongStorage"): "q",
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        _, form, key, _, size, _ = pid
        return self.storages.setdefault(key, _Storage(form, size))


def _rebuild(storage: _Storage, offset: int, shape: tuple[int, ...], _stride: Any, *_rest: Any) -> Callable[[], Tensor]:
    return lambda: Tensor(shape, storage.values[offset : offset + math.prod(shape)])


def _read(data: bytes) -> dict[str, Tensor]:
    """The named tensors of a file in torch's older format."""
    file = io.BytesIO(data)
    if _Weights(file).load() != MAGIC:
        raise WrongModelError("weights without torch's magic number")
    for _ in range(2):  # protocol, machine
        _Weights(file).load()
    reader = _Weights(file)
    tensors: Mapping[str, Callable[[], Tensor]] = reader.load()
    for key in _Weights(file).load():
        storage = reader.storages[key]
        (size,) = struct.unpack("<q", file.read(8))
        storage.values = struct.unpack(f"<{size}{storage.form}", file.read(size * struct.calcsize(storage.form)))
    return {name.removeprefix("module."): make() for name, make in tensors.items()}


# --- building the network ---------------------------------------------------------------------------------------------


class _Net:
    """Walks the layers in the order of their names and writes one node after another."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self._weights = weights
        self._nodes: list[bytes] = []
        self._tensors: list[bytes] = []
        self._last = "input"
        self._block = ""  # the output of the block before, which a residual block adds

    def build(self) -> bytes:
        """The whole file."""
        for name in self._layers():
            if name.endswith(".conv") and ".model." in name:
                self._block = self._last
            self._convolution(name)
            if f"{name.removesuffix('.project')}.se_module.fc1.weight" in self._weights and name.endswith(".project"):
                self._squeeze(f"{name.removesuffix('.project')}.se_module")
            if name.endswith(".project") and ".model." in name:
                self._add("Add", [self._block, self._last], f"{name}.sum")
        self._add("Flatten", [self._last], "flat", axis=1)
        self._dense("linear", self._weights["linear.weight"], None)
        self._dense("prob", *self._classifier())
        return onnx_file.model(self._nodes, self._tensors, ("input", INPUT), (self._last, CLASSES))

    def _layers(self) -> Iterator[str]:
        return (name.removesuffix(".conv.weight") for name in self._weights if name.endswith(".conv.weight"))

    def _convolution(self, name: str) -> None:
        weight = self._weights[f"{name}.conv.weight"]
        out, kernel = weight.shape[0], weight.shape[2]
        scale, shift = self._norm(f"{name}.bn")
        each = len(weight.values) // out
        values = [v * scale[i // each] for i, v in enumerate(weight.values)]
        names = [self._keep(f"{name}.weight", Tensor(weight.shape, values)), self._keep(f"{name}.bias", _row(shift))]
        step = 2 if name in HALVING else 1
        self._add(
            "Conv", [self._last, *names], name, group=out if weight.shape[1] == 1 else 1, kernel_shape=(kernel, kernel),
            pads=(PADDING[kernel],) * 4, strides=(step, step),
        )  # fmt: skip
        slope = self._weights.get(f"{name}.prelu.weight")
        if slope is not None:
            kept = self._keep(f"{name}.slope", Tensor((out, 1, 1), slope.values))
            self._add("PRelu", [self._last, kept], f"{name}.prelu")

    def _squeeze(self, name: str) -> None:
        """V1SE: each channel weighed by what two small layers make of all channels' means."""
        block = self._last
        self._add("GlobalAveragePool", [block], f"{name}.mean")
        for layer, norm, kind in (("fc1", "bn1", "Relu"), ("fc2", "bn2", "Sigmoid")):
            weight = self._weights[f"{name}.{layer}.weight"]
            scale, shift = self._norm(f"{name}.{norm}")
            each = weight.shape[1]
            values = [v * scale[i // each] for i, v in enumerate(weight.values)]
            kept = self._keep(f"{name}.{layer}.weight", Tensor(weight.shape, values))
            names = [self._last, kept, self._keep(f"{name}.{layer}.bias", _row(shift))]
            self._add("Conv", names, f"{name}.{layer}", kernel_shape=(1, 1), strides=(1, 1))
            self._add(kind, [self._last], f"{name}.{layer}.{kind.lower()}")
        self._add("Mul", [block, self._last], f"{name}.scaled")

    def _norm(self, name: str) -> tuple[list[float], list[float]]:
        """A batch norm as y = scale · x + shift."""
        of = {
            part: self._weights[f"{name}.{part}"].values for part in ("weight", "bias", "running_mean", "running_var")
        }
        scale = [w / math.sqrt(v + EPSILON) for w, v in zip(of["weight"], of["running_var"], strict=True)]
        shift = [b - m * s for b, m, s in zip(of["bias"], of["running_mean"], scale, strict=True)]
        return scale, shift

    def _classifier(self) -> tuple[Tensor, Tensor]:
        """The last batch norm folded into the last layer."""
        scale, shift = self._norm("bn")
        weight = self._weights["prob.weight"]
        width = weight.shape[1]
        rows = [weight.values[i : i + width] for i in range(0, len(weight.values), width)]
        values = [w * s for row in rows for w, s in zip(row, scale, strict=True)]
        bias = [math.fsum(w * b for w, b in zip(row, shift, strict=True)) for row in rows]
        return Tensor(weight.shape, values), _row(bias)

    def _dense(self, name: str, weight: Tensor, bias: Tensor | None) -> None:
        names = [self._keep(f"{name}.weight", weight)]
        names += [self._keep(f"{name}.bias", bias)] if bias is not None else []
        self._add("Gemm", [self._last, *names], name, transB=1)

    def _keep(self, name: str, tensor: Tensor) -> str:
        self._tensors.append(onnx_file.tensor(name, tensor.shape, tensor.data()))
        return name

    def _add(self, kind: str, inputs: Sequence[str], output: str, **attributes: onnx_file.Attribute) -> None:
        self._nodes.append(onnx_file.node(kind, inputs, output, attributes))
        self._last = output


def _row(values: Sequence[float]) -> Tensor:
    return Tensor((len(values),), values)
