"""Many small values kept small: of a class of ten thousand sessions a verifier holds a few bytes each.

`Packed` keeps values as bytes in memory, `Spool` in a nameless temporary file. Both are `marshal` of plain tuples,
hexadecimal digits as the bytes that they stand for: what this process wrote itself, and never anything from outside.
"""

from __future__ import annotations

import marshal
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, overload

T = TypeVar("T")
Plain = tuple[Any, ...]


def pack(values: Plain) -> bytes:
    """The tuple as bytes; its own and nested strings of hexadecimal digits take half."""
    return marshal.dumps(_squeezed(values))


def unpack(data: bytes) -> Plain:
    """What `pack` was given."""
    return _swollen(marshal.loads(data))  # type: ignore[no-any-return]  # noqa: S302 - our own bytes, see above


def _squeezed(value: Any) -> Any:
    if type(value) is tuple:
        return tuple([_squeezed(item) for item in value])
    if type(value) is str and len(value) in (32, 64):
        try:
            data = bytes.fromhex(value)
        except ValueError:
            return value
        return data if data.hex() == value else value
    return [value] if type(value) is bytes else value  # a list marks bytes that were bytes before


def _swollen(value: Any) -> Any:
    kind = type(value)
    if kind is tuple:
        return tuple([_swollen(item) for item in value])
    if kind is bytes:
        return value.hex()
    return value[0] if kind is list else value


def fields_of(value: Any) -> Plain:
    """The fields of a dataclass, not of those inside it."""
    return tuple([getattr(value, name) for name in value.__match_args__])


def made(kind: type[T], values: Plain) -> T:
    """A frozen dataclass of fields that were checked before they were packed."""
    found = object.__new__(kind)
    for name, value in zip(found.__match_args__, values, strict=True):  # type: ignore[attr-defined]
        object.__setattr__(found, name, value)
    return found


class Packed(Sequence[T]):
    """A list whose items are packed; an item is made anew each time that it is asked for."""

    def __init__(self, squeeze: Callable[[T], Plain], swell: Callable[..., T], items: Iterable[T] = ()) -> None:
        self._squeeze, self._swell = squeeze, swell
        self._data: list[bytes] = []
        for item in items:
            self.append(item)

    def append(self, item: T) -> None:
        """Put one item at the end."""
        self._data.append(pack(self._squeeze(item)))

    def __setitem__(self, index: int, item: T) -> None:
        self._data[index] = pack(self._squeeze(item))

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self._swell(*unpack(self._data[index]))

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[T]:
        return (self._swell(*unpack(data)) for data in self._data)


class Spool(Sequence[T]):
    """Items that are written once and read again: they lie in a temporary file that has no name."""

    def __init__(self, squeeze: Callable[[T], Plain], swell: Callable[..., T], items: Iterable[T] = ()) -> None:
        self._squeeze, self._swell = squeeze, swell
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the last reference to the report
        self._begins = array("Q")
        self.extend(items)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._squeeze, self._swell, list(self))

    def extend(self, items: Iterable[T]) -> None:
        """Put the items at the end."""
        at = self._file.seek(0, 2)
        for item in items:
            self._begins.append(at)
            at += self._file.write(pack(self._squeeze(item)))

    def sort(self, key: Callable[[T], int]) -> None:
        """Order the items by `key`."""
        keys = array("Q", map(key, self))
        order = sorted(range(len(self)), key=keys.__getitem__)
        self._begins = array("Q", (self._begins[i] for i in order))

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        self._file.seek(self._begins[index])
        return self._swell(*_swollen(marshal.load(self._file)))  # noqa: S302 - our own bytes, see above

    def __len__(self) -> int:
        return len(self._begins)
