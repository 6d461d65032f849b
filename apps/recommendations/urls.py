"""Addresses of films, slates and feedback, below /api/v1/."""

from apps.core import converters  # noqa: F401 - makes <id:…> known
from apps.core.api.urls import api_path
from apps.recommendations.api import feedback, imports, movies, preferences, slates

urlpatterns = [
    api_path("movies", movies.MoviesView),
    api_path("movies/recommendations", slates.RecommendationsView),
    api_path("movies/<id:movie_id>", movies.MovieView),
    api_path("movies/<id:movie_id>/similar", slates.SimilarView),
    api_path("recommend", slates.RecommendView),
    api_path("events", feedback.EventsView),
    api_path("analytics/track/click", feedback.TrackClickView),
    api_path("analytics/track/rating", feedback.TrackRatingView),
    api_path("analytics/track/thumbs-up", feedback.TrackThumbsUpView),
    api_path("analytics/track/thumbs-down", feedback.TrackThumbsDownView),
    api_path("analytics/track/favorite/<id:user_id>/<id:movie_id>", feedback.TrackFavoriteView),
    api_path("analytics/track/watchlist/<id:user_id>/<id:movie_id>", feedback.TrackWatchlistView),
    api_path("ratings", preferences.RatingsView),
    api_path("ratings/<id:movie_id>", preferences.RatingView),
    api_path("favorites", preferences.FavoritesView),
    api_path("favorites/<id:movie_id>", preferences.FavoriteView),
    api_path("watchlist", preferences.WatchlistView),
    api_path("watchlist/<id:movie_id>", preferences.WatchlistItemView),
    api_path("dismissals", preferences.DismissalsView),
    api_path("dismissals/<id:movie_id>", preferences.DismissalView),
    api_path("me/import", imports.ImportsView),
    api_path("me/import/<id:import_id>", imports.ImportView),
    api_path("me/import/<id:import_id>/apply", imports.ImportApplyView),
    api_path("me/import/<id:import_id>/undo", imports.ImportUndoView),
    api_path("me/import/<id:import_id>/unmatched", imports.ImportUnmatchedView),
]
