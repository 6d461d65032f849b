"""Addresses of the site's pages, at its root."""

from django.urls import path

from apps.core import converters  # noqa: F401 - makes <id:…> known
from apps.pages.views import accounts, films, finding, home, imports, lists, my_films, settings, welcome

urlpatterns = [
    path("", home.home, name="home"),
    path("browse", finding.browse_films, name="browse"),
    path("search", finding.search, name="search"),
    path("search/suggestions", finding.suggestions, name="suggestions"),
    path("gems", lists.gems, name="gems"),
    path("surprise", lists.surprise, name="surprise"),
    path("about", home.about, name="about"),
    path("film/<id:movie_id>", films.film, name="film"),
    path("film/<id:movie_id>/feedback", films.feedback, name="feedback"),
    path("poster/<id:movie_id>.svg", films.poster, name="poster"),
    path("welcome", welcome.welcome, name="welcome"),
    path("welcome/unseen/<id:movie_id>", welcome.unseen, name="welcome-unseen"),
    path("my-films", my_films.my_list, name="my-films"),
    path("my-films/<slug:slug>", my_films.my_list, name="my-films-list"),
    path("ratings", my_films.ratings),
    path("settings", settings.ProfileView.as_view(), name="settings"),
    path("settings/time-zone", settings.timezone, name="settings-timezone"),
    path("settings/theme", settings.theme, name="settings-theme"),
    path("settings/password", settings.PasswordView.as_view(), name="settings-password"),
    path("settings/sessions", settings.sessions, name="settings-sessions"),
    path("settings/sessions/end", settings.end_one, name="settings-sessions-end"),
    path("settings/sessions/end-others", settings.end_others, name="settings-sessions-end-others"),
    path("settings/data", settings.own_data, name="settings-data"),
    path("settings/erase", settings.ErasureView.as_view(), name="settings-erase"),
    path("settings/import", imports.UploadView.as_view(), name="import"),
    path("settings/import/<id:import_id>", imports.preview, name="import-preview"),
    path("settings/import/<id:import_id>/apply", imports.apply, name="import-apply"),
    path("settings/import/<id:import_id>/undo", imports.undo, name="import-undo"),
    path("settings/import/<id:import_id>/unmatched.csv", imports.unmatched, name="import-unmatched"),
    path("sign-up", accounts.SignUpView.as_view(), name="sign-up"),
    path("log-in", accounts.LogInView.as_view(), name="login"),
    path("log-out", accounts.log_out_view, name="logout"),
    path("password/reset/", accounts.ResetView.as_view(), name="password-reset"),
    path("password/reset/sent/", accounts.reset_sent, name="password-reset-sent"),
    path("password/reset/<uid>/<token>/", accounts.NewPasswordView.as_view(), name="password-reset-confirm"),
    path("favicon.ico", home.favicon, name="favicon"),
    path("robots.txt", home.robots, name="robots"),
]
