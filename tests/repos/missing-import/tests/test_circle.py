import math

import pytest

from geometry.circle import Circle


def test_area():
    assert Circle(2).area() == pytest.approx(4 * math.pi)


def test_circumference():
    assert Circle(1).circumference() == pytest.approx(2 * math.pi)


def test_scaling():
    assert Circle(2).scaled(3) == Circle(6)
