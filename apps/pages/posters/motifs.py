"""The pictures of generated posters, as SVG paths in a field 200 wide and 190 high.

A motif is a function of a seeded generator. It returns layers, painted in order; ``tone`` names
one of the poster's colours.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

WIDTH, HEIGHT = 200.0, 190.0

Tone = Literal["deep", "main", "bright", "light"]


@dataclass(frozen=True)
class Layer:
    path: str
    tone: Tone
    opacity: float = 1.0


Motif = Callable[[random.Random], list[Layer]]


def _circle(x: float, y: float, radius: float) -> str:
    return (
        f"M{x - radius:.1f} {y:.1f}a{radius:.1f} {radius:.1f} 0 1 0 {2 * radius:.1f} 0"
        f"a{radius:.1f} {radius:.1f} 0 1 0 {-2 * radius:.1f} 0z"
    )


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z"


def sun(rng: random.Random) -> list[Layer]:
    """A low sun, cut by bands that widen towards the ground."""
    x, radius = rng.uniform(70, 130), rng.uniform(52, 68)
    y = HEIGHT - radius * rng.uniform(0.75, 1.15)
    bands = "".join(_box(0, y + radius * step / 6, WIDTH, 1.5 + step) for step in range(1, 6))
    return [Layer(_circle(x, y, radius), "bright"), Layer(bands, "main")]


def arcs(rng: random.Random) -> list[Layer]:
    """Rings around one corner."""
    x = rng.choice([0.0, WIDTH])
    tones: list[Tone] = ["deep", "bright", "main", "light", "deep"]
    step = rng.uniform(30, 38)
    return [Layer(_circle(x, HEIGHT, step * (5 - index)), tone) for index, tone in enumerate(tones)]


def skyline(rng: random.Random) -> list[Layer]:
    """Houses under a moon."""
    moon = _circle(rng.uniform(40, 160), rng.uniform(45, 70), rng.uniform(18, 28))
    behind, front = "", ""
    for column in range(8):
        behind += _box(column * 25, HEIGHT - (tall := rng.uniform(50, 115)), 25, tall)
        front += _box(column * 28 - 12, HEIGHT - (low := rng.uniform(18, 62)), 22, low)
    return [Layer(moon, "light"), Layer(behind, "bright", 0.55), Layer(front, "deep")]


def waves(rng: random.Random) -> list[Layer]:
    """Swell in four rows."""
    tones: list[Tone] = ["light", "bright", "deep", "main"]
    layers = []
    for row, tone in enumerate(tones):
        y, lift, length = 62 + row * 34, rng.uniform(12, 22), rng.uniform(44, 62)
        x = -rng.uniform(0, 2 * length)
        crests = "".join(
            f"q{length / 2:.1f} {-lift if step % 2 else lift:.1f} {length:.1f} 0" for step in range(9)
        )
        layers.append(Layer(f"M{x:.1f} {y}{crests}V{HEIGHT}H{x:.1f}z", tone))
    return layers


def rays(rng: random.Random) -> list[Layer]:
    """Beams from one lamp."""
    x, count = rng.uniform(60, 140), rng.choice([9, 11, 13])
    beams = ""
    for index in range(count):
        start, end = math.pi * index / count, math.pi * (index + 0.5) / count
        beams += (
            f"M{x:.1f} {HEIGHT}L{x - 320 * math.cos(start):.1f} {HEIGHT - 320 * math.sin(start):.1f}"
            f"L{x - 320 * math.cos(end):.1f} {HEIGHT - 320 * math.sin(end):.1f}z"
        )
    lamp = rng.uniform(26, 40)
    return [Layer(beams, "bright", 0.75), Layer(_circle(x, HEIGHT, lamp), "light")]


def dots(rng: random.Random) -> list[Layer]:
    """A grid of bulbs that swell towards one place."""
    at_x, at_y = rng.uniform(40, 160), rng.uniform(50, 150)
    near, far = "", ""
    for row in range(8):
        for column in range(8):
            x, y = 12.5 + 25 * column, 12.5 + 25 * row
            closeness = max(0.0, 1 - math.hypot(x - at_x, y - at_y) / 130)
            bulb = _circle(x, y, 1.6 + 9.5 * closeness)
            near, far = (near + bulb, far) if closeness > 0.5 else (near, far + bulb)
    return [Layer(far, "bright", 0.8), Layer(near, "light")]


def stripes(rng: random.Random) -> list[Layer]:
    """Slanting bands and a disc."""
    slope = rng.choice([-1, 1]) * rng.uniform(50, 110)
    bands = ""
    for index in range(-4, 12, 2):
        bands += f"M{index * 25} 0h25l{slope:.1f} {HEIGHT}h-25z"
    disc = _circle(rng.uniform(60, 140), rng.uniform(70, 120), rng.uniform(34, 48))
    return [Layer(bands, "deep", 0.7), Layer(disc, "bright")]


def peaks(rng: random.Random) -> list[Layer]:
    """Mountains in three rows under a disc."""
    layers = [Layer(_circle(rng.uniform(50, 150), rng.uniform(48, 72), rng.uniform(22, 32)), "light")]
    rows: list[tuple[Tone, float]] = [("bright", 82), ("main", 112), ("deep", 140)]
    for tone, top in rows:
        ridge = "".join(
            f"L{x} {top + rng.uniform(-24, 24) + (34 if x % 80 else 0):.1f}" for x in range(-40, 281, 40)
        )
        layers.append(Layer(f"M-40 {HEIGHT}{ridge}L280 {HEIGHT}z", tone))
    return layers


def tiles(rng: random.Random) -> list[Layer]:
    """Quarter discs, each turned by chance."""
    size, found = 50.0, {"light": "", "bright": "", "deep": ""}
    for row in range(4):
        for column in range(4):
            x, y, turn = column * size, row * size, rng.randrange(4)
            tone = rng.choice(["light", "bright", "bright", "deep", "deep"])
            corner = [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]
            start, middle, end = corner[turn - 1], corner[turn], corner[(turn + 1) % 4]
            found[tone] += (
                f"M{middle[0]} {middle[1]}L{start[0]} {start[1]}A{size} {size} 0 0 0 {end[0]} {end[1]}z"
            )
    return [Layer(found["deep"], "deep"), Layer(found["bright"], "bright"), Layer(found["light"], "light")]


def lens(rng: random.Random) -> list[Layer]:
    """Rings around an eye that looks aside."""
    x, y, angle = rng.uniform(80, 120), rng.uniform(85, 110), rng.uniform(0, 2 * math.pi)
    tones: list[Tone] = ["deep", "bright", "main", "light", "deep"]
    layers = []
    for index, tone in enumerate(tones):
        shift = index * rng.uniform(3, 6)
        layers.append(
            Layer(_circle(x + shift * math.cos(angle), y + shift * math.sin(angle), 80 - index * 16), tone)
        )
    return layers
