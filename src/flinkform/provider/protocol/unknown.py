"""The one value that stands for "known only after apply"."""

from __future__ import annotations

from collections.abc import Mapping


class Unknown:
    """The class of UNKNOWN: one instance, compared by identity, and neither true nor false."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value is neither true nor false; compare with `is UNKNOWN`")

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: Mapping[int, object]) -> Unknown:
        return self

    def __reduce__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()
