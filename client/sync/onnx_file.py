"""Writes a small ONNX file, the same bytes every time: the few messages of onnx.proto that a plain network needs.

Field numbers are those of onnx.proto3 (IR version 6, opset 11); protobuf's wire format is varints and length-prefixed
fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

IR_VERSION = 6
OPSET = 11
_FLOAT = 1  # TensorProto.DataType
_INT, _INTS = 2, 7  # AttributeProto.AttributeType

Attribute = int | Sequence[int]
Port = tuple[str, Sequence[int]]  # name, shape without the batch


def tensor(name: str, shape: Sequence[int], data: bytes) -> bytes:
    """A float32 tensor; `data` little-endian, the last axis running fastest."""
    dims = b"".join(_number(1, size) for size in shape)
    return dims + _number(2, _FLOAT) + _text(8, name) + _field(9, data)


def node(kind: str, inputs: Iterable[str], output: str, attributes: Mapping[str, Attribute] | None = None) -> bytes:
    """One operation, named after its output."""
    wires = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(3, output) + _text(4, kind)
    return wires + b"".join(_field(5, _attribute(name, value)) for name, value in (attributes or {}).items())


def model(nodes: Iterable[bytes], tensors: Iterable[bytes], into: Port, out: Port) -> bytes:
    """The whole file, with one input and one output."""
    graph = b"".join(_field(1, one) for one in nodes) + _text(2, "trueseat")
    graph += b"".join(_field(5, one) for one in tensors)
    graph += _field(11, _port(*into)) + _field(12, _port(*out))
    return (
        _number(1, IR_VERSION) + _text(2, "trueseat") + _field(7, graph) + _field(8, _text(1, "") + _number(2, OPSET))
    )


def _port(name: str, shape: Sequence[int]) -> bytes:
    batch = _field(1, _text(2, "batch"))
    dims = batch + b"".join(_field(1, _number(1, size)) for size in shape)
    return _text(1, name) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, dims)))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    return _text(1, name) + b"".join(_number(8, item) for item in value) + _number(20, _INTS)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _field(field, text.encode("ascii"))
