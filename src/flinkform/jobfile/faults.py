"""What is wrong, gathered while reading goes on, so that one run tells all of it."""

from __future__ import annotations

from types import TracebackType

from flinkform.errors import Invalid


class Faults(list[Invalid]):
    """Mistakes in the order in which they were met; in a `with` block one ends the block and is kept."""

    def __enter__(self) -> None:
        """Begin to read something that may be wrong."""

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> bool:
        if isinstance(error, Invalid):
            self.append(error)
            return True
        return False

    def settle(self) -> None:
        """Raise the first mistake; nothing happens where there is none."""
        if self:
            raise self[0]
