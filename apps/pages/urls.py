"""Addresses of the site's pages and of the probes, at its root."""

from django.urls import path

from apps.core import converters  # noqa: F401 - makes <id:…> known
from apps.pages import health
from apps.pages.views import accounts, films, home, ratings

urlpatterns = [
    path("", home.home, name="home"),
    path("search", home.search, name="search"),
    path("about", home.about, name="about"),
    path("film/<id:movie_id>", films.film, name="film"),
    path("film/<id:movie_id>/feedback", films.feedback, name="feedback"),
    path("poster/<id:movie_id>.svg", films.poster, name="poster"),
    path("ratings", ratings.ratings, name="ratings"),
    path("sign-up", accounts.SignUpView.as_view(), name="sign-up"),
    path("log-in", accounts.LogInView.as_view(), name="login"),
    path("log-out", accounts.log_out_view, name="logout"),
    path("password/reset/", accounts.ResetView.as_view(), name="password-reset"),
    path("password/reset/sent/", accounts.reset_sent, name="password-reset-sent"),
    path("password/reset/<uid>/<token>/", accounts.NewPasswordView.as_view(), name="password-reset-confirm"),
    path("favicon.ico", home.favicon, name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
