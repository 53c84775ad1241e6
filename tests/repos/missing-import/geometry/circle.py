"""Circles on a plane."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Circle:
    """A circle by its radius."""

    radius: float

    def area(self) -> float:
        return math.pi * self.radius**2

    def circumference(self) -> float:
        return 2 * math.pi * self.radius

    def scaled(self, factor: float) -> "Circle":
        return Circle(self.radius * factor)
