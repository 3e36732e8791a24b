"""Points on the curve P-256 (FIPS 186-5): a secret times the generator, quickly enough for one certificate."""

from __future__ import annotations

PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
GENERATOR = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

_Jacobian = tuple[int, int, int]
"""(x / z^2, y / z^3); z = 0 is the point at infinity. It saves a division at each step."""


def multiply(scalar: int) -> tuple[int, int]:
    """*scalar* times the generator, for 0 < scalar < ORDER.

    Not in constant time: the key is used by one process, once, and nobody can time it often.
    """
    point = (0, 1, 0)
    for shift in range(scalar.bit_length() - 1, -1, -1):
        point = _double(point)
        if scalar >> shift & 1:
            point = _add(point, GENERATOR)
    x, y, z = point
    inverse = pow(z, -1, PRIME)
    square = inverse * inverse % PRIME
    return x * square % PRIME, y * square * inverse % PRIME


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    delta = z * z % PRIME
    gamma = y * y % PRIME
    beta = x * gamma % PRIME
    alpha = 3 * (x - delta) * (x + delta) % PRIME
    doubled = (alpha * alpha - 8 * beta) % PRIME
    return (
        doubled,
        (alpha * (4 * beta - doubled) - 8 * gamma * gamma) % PRIME,
        ((y + z) * (y + z) - gamma - delta) % PRIME,
    )


def _add(point: _Jacobian, affine: tuple[int, int]) -> _Jacobian:
    x, y, z = point
    if not z:
        return (*affine, 1)
    square = z * z % PRIME
    across = (affine[0] * square - x) % PRIME
    along = (affine[1] * z * square - y) % PRIME
    if not across:  # the same point, or its mirror
        return _double(point) if not along else (0, 1, 0)
    second = across * across % PRIME
    third = across * second % PRIME
    middle = x * second % PRIME
    summed = (along * along - third - 2 * middle) % PRIME
    return summed, (along * (middle - summed) - y * third) % PRIME, z * across % PRIME
