"""MovieLens' own layout in small: two kinds of films, and people who like one kind each."""

from pathlib import Path


def write_tiny_movielens(parent: Path) -> Path:
    """The folder ``ml-tiny``: 24 films, 12 people."""
    folder = parent / "ml-tiny"
    folder.mkdir()
    movies = [f"{n},Film {n} ({1980 + n}),{('Horror', 'Comedy')[n % 2]}" for n in range(1, 25)]
    ratings = [
        f"{person},{film},{4 if (person + film) % 3 else 5},{1_000_000_000 + film}"
        for person in range(1, 13)
        for film in range(1, 25)
        if film % 2 == person % 2 and (film + person) % 5
    ]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *movies, ""]))
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings, ""]))
    return folder
