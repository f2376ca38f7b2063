"""Bytes that wait to be sent, and how many they are."""

from __future__ import annotations

from collections import deque

Piece = bytes | memoryview


class Outbox:
    """Takes pieces of any size, and gives them in the sizes that are asked for."""

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, piece: bytes) -> None:
        """Add some at the end."""
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)

    def take(self, most: int) -> Piece:
        """Return some from the beginning: `most`, or all if that is less."""
        first = self._pieces.popleft()
        if len(first) < most and self._pieces:
            first = self._joined(first, most)
        if len(first) > most:
            whole = memoryview(first)
            first = whole[:most]
            self._pieces.appendleft(whole[most:])
        self._size -= len(first)
        return first

    def clear(self) -> None:
        """Forget all of it."""
        self._pieces.clear()
        self._size = 0

    def _joined(self, first: Piece, most: int) -> Piece:
        found, size = [first], len(first)
        while self._pieces and size < most:
            found.append(self._pieces.popleft())
            size += len(found[-1])
        return b"".join(found)
