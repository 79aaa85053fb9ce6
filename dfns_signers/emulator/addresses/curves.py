"""Points of the curves secp256k1 and stark, as far as addresses and signatures need them.

Plain arithmetic that leaks what it computes with by its time: fit for keys that mean nothing.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec

Point: TypeAlias = tuple[int, int]


class Curve(NamedTuple):
    """The curve y^2 = x^3 + a x + b over the integers modulo p, and a point of order n.

    Attributes:
        library: the same curve in ``cryptography``, which is much faster; None if it is not there.
    """

    p: int
    a: int
    b: int
    n: int
    generator: Point
    library: ec.EllipticCurve | None = None

    def add(self, first: Point, second: Point) -> Point:
        """The sum of two points that is not the point at infinity."""
        (x1, y1), (x2, y2) = first, second
        if first == second:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def times(self, scalar: int, point: Point | None = None) -> Point:
        """A point so many times; the generator by default. The scalar is 1 to n - 1."""
        if point is None and self.library is not None:
            numbers = ec.derive_private_key(scalar, self.library).public_key().public_numbers()
            return numbers.x, numbers.y
        point = point or self.generator
        result = None
        while scalar:
            if scalar & 1:
                result = self.add(result, point) if result else point
            scalar >>= 1
            if scalar:
                point = self.add(point, point)
        if result is None:
            raise ValueError("the scalar is 0")
        return result

    def even_point(self, x: int) -> Point:
        """The point of this x and an even y, where p is 3 modulo 4 (BIP 340)."""
        y = pow(x**3 + self.a * x + self.b, (self.p + 1) // 4, self.p)
        return x, y if y % 2 == 0 else self.p - y


SECP256K1: Final = Curve(  # SEC 2
    p=2**256 - 2**32 - 977,
    a=0,
    b=7,
    n=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    generator=(
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    ),
    library=ec.SECP256K1(),
)
STARK: Final = Curve(  # Starknet docs, "STARK curve"
    p=2**251 + 17 * 2**192 + 1,
    a=1,
    b=3141592653589793238462643383279502884197169399375105820974944592307816406665,
    n=3618502788666131213697322783095070105526743751716087489154079457884512865583,
    generator=(
        874739451078007766457464989774322083649278607533249481151382481072868806602,
        152666792071518830868575557812948353041420400780739481342941381225525861407,
    ),
)
