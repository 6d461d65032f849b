"""What the site says back after an act."""

from apps.catalog.models import Movie
from apps.events.models import Kind

_SENTENCES = {
    Kind.UNRATE: "Your rating of {title} is gone.",
    Kind.FAVORITE: "{title} is one of your favourites.",
    Kind.UNFAVORITE: "{title} is no longer one of your favourites.",
    Kind.WATCHLIST: "{title} is on your watchlist.",
    Kind.UNWATCHLIST: "{title} is off your watchlist.",
    Kind.THUMBS_UP: "Thumb up for {title}.",
    Kind.THUMBS_DOWN: "Thumb down for {title}.",
    Kind.THUMBS_CLEAR: "Your thumb on {title} is taken back.",
    Kind.DISMISS: "{title} will not be recommended to you again.",
    Kind.UNDISMISS: "{title} may be recommended to you again.",
}


def sentence_of(movie: Movie, kind: Kind, value: float | None) -> str:
    if kind == Kind.RATE and value is not None:
        return f"You gave {movie.title} {value:g} {'star' if value <= 1 else 'stars'}."
    return _SENTENCES[kind].format(title=movie.title)
