"""What a generated poster looks like: colours and motif by genre, variation by film, fitted title."""

import colorsys
import random
from collections.abc import Sequence
from dataclasses import dataclass

from apps.pages.posters import motifs
from apps.pages.posters.motifs import Motif

TITLE_WIDTH = 168.0
TITLE_SIZES = ((27.0, 2), (23.0, 3), (19.0, 3), (16.0, 4), (13.5, 5))
TITLE_BOTTOM = 272.0


@dataclass(frozen=True)
class Style:
    """``hue`` in degrees, ``saturation`` from 0 to 1."""

    hue: float
    saturation: float
    motifs: tuple[Motif, ...]


STYLES: dict[str, Style] = {
    "Action": Style(12, 0.72, (motifs.stripes, motifs.rays, motifs.sun)),
    "Adventure": Style(32, 0.68, (motifs.peaks, motifs.sun, motifs.waves)),
    "Animation": Style(188, 0.62, (motifs.tiles, motifs.dots, motifs.waves)),
    "Children": Style(48, 0.72, (motifs.tiles, motifs.dots, motifs.sun)),
    "Comedy": Style(40, 0.76, (motifs.dots, motifs.tiles, motifs.arcs)),
    "Crime": Style(354, 0.52, (motifs.skyline, motifs.stripes, motifs.lens)),
    "Documentary": Style(150, 0.34, (motifs.arcs, motifs.lens, motifs.stripes)),
    "Drama": Style(222, 0.44, (motifs.arcs, motifs.waves, motifs.sun, motifs.skyline)),
    "Fantasy": Style(276, 0.48, (motifs.peaks, motifs.rays, motifs.dots)),
    "Film-Noir": Style(30, 0.08, (motifs.skyline, motifs.rays, motifs.stripes)),
    "Horror": Style(350, 0.68, (motifs.lens, motifs.peaks, motifs.rays)),
    "Musical": Style(318, 0.54, (motifs.rays, motifs.waves, motifs.dots)),
    "Mystery": Style(252, 0.40, (motifs.lens, motifs.skyline, motifs.arcs)),
    "Romance": Style(340, 0.56, (motifs.sun, motifs.waves, motifs.arcs)),
    "Sci-Fi": Style(200, 0.66, (motifs.lens, motifs.sun, motifs.dots)),
    "Thriller": Style(208, 0.38, (motifs.stripes, motifs.skyline, motifs.lens)),
    "War": Style(88, 0.26, (motifs.stripes, motifs.peaks, motifs.sun)),
    "Western": Style(24, 0.60, (motifs.peaks, motifs.sun)),
}
PLAIN = Style(214, 0.14, (motifs.arcs, motifs.stripes, motifs.dots, motifs.tiles))

_NARROW = frozenset("iIjlt!.,:;'’|()[] f")
_WIDE = frozenset("mwMW@%&—")


@dataclass(frozen=True)
class Line:
    text: str
    y: float


@dataclass(frozen=True)
class Painted:
    path: str
    fill: str
    opacity: float


@dataclass(frozen=True)
class Poster:
    """All that the template places. Colours are ``#rrggbb``; lengths in a field of 200 by 300."""

    title: str
    year: int | None
    genre: str
    ground: str
    plate: str
    ink: str
    layers: tuple[Painted, ...]
    lines: tuple[Line, ...]
    font_size: float


def design_poster(*, movie_id: int, title: str, year: int | None, genres: Sequence[str]) -> Poster:
    """The same film always gets the same poster. The first genre sets hue and motifs."""
    genre = next((name for name in genres if name in STYLES), "")
    style = STYLES.get(genre, PLAIN)
    rng = random.Random(movie_id)
    hue = (style.hue + rng.uniform(-16, 16)) % 360
    tones = {
        "deep": _colour(hue, style.saturation, 0.13),
        "main": _colour(hue, style.saturation, 0.29),
        "bright": _colour(hue + rng.choice([-24, 18, 34]), min(style.saturation + 0.14, 0.9), 0.56),
        "light": _colour(hue + 36, min(style.saturation, 0.7), 0.87),
    }
    drawn = rng.choice(style.motifs)(rng)
    size, lines = _fit_title(title)
    return Poster(
        title=title,
        year=year,
        genre=genre,
        ground=tones["main"],
        plate=tones["deep"],
        ink=_colour(hue + 36, 0.5, 0.94),
        layers=tuple(Painted(layer.path, tones[layer.tone], layer.opacity) for layer in drawn),
        lines=lines,
        font_size=size,
    )


def _colour(hue: float, saturation: float, lightness: float) -> str:
    channels = colorsys.hls_to_rgb((hue % 360) / 360, lightness, saturation)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)


def _fit_title(title: str) -> tuple[float, tuple[Line, ...]]:
    """The largest size at which the title fits; at the smallest the rest is cut."""
    size, rows = TITLE_SIZES[-1][0], [title]
    for size, most in TITLE_SIZES:
        rows = _wrap(title, TITLE_WIDTH / size)
        if len(rows) <= most and all(_width(row) <= TITLE_WIDTH / size for row in rows):
            break
    else:
        most = TITLE_SIZES[-1][1]
        rows = [_cut(row, TITLE_WIDTH / size) for row in rows]
        rows = rows if len(rows) <= most else [*rows[: most - 1], f"{rows[most - 1].rstrip('…')}…"]
    leading = size * 1.12
    first = TITLE_BOTTOM - leading * (len(rows) - 1)
    return size, tuple(Line(row, round(first + leading * index, 1)) for index, row in enumerate(rows))


def _wrap(title: str, width: float) -> list[str]:
    rows = [""]
    for word in title.split():
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and _width(longer) > width:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


def _cut(row: str, width: float) -> str:
    if _width(row) <= width:
        return row
    while row and _width(row) > width - 0.9:
        row = row[:-1]
    return f"{row}…"


def _width(text: str) -> float:
    """An estimate in em of bold sans-serif letters: no font is read. It is for the widest of the fonts that
    systems bring, so that no machine draws a title over the edge.
    """
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if letter in _NARROW:
        return 0.42
    if letter in _WIDE:
        return 1.02
    if ord(letter) >= 0x2E80:  # scripts whose letters fill the em square
        return 1.02
    return 0.78 if letter.isupper() else 0.68
