"""How the admin looks: unfold's settings, in the site's own colours."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static


def _stylesheet(request: HttpRequest) -> str:
    return static("css/admin.css")


def _favicon(request: HttpRequest) -> str:
    return static("img/favicon.svg")


def _scale(hue: float, steps: dict[str, tuple[float, float]]) -> dict[str, str]:
    """Shades of one hue, each by lightness in percent and chroma."""
    return {name: f"oklch({light}% {chroma} {hue})" for name, (light, chroma) in steps.items()}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Marquee",
    "SITE_HEADER": "Marquee",
    "SITE_SUBHEADER": "What is shown, to whom, and why",
    "SITE_URL": "/",
    "SITE_SYMBOL": "theaters",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
    "SHOW_HISTORY": True,
    "STYLES": [_stylesheet],
    "DASHBOARD_CALLBACK": "apps.monitoring.overview.add_overview",
    "ENVIRONMENT": "apps.accounts.admin.people.label_of_traffic",
    "SIDEBAR": {"show_search": True, "navigation": "apps.core.admin.sidebar.sidebar"},
    "COLORS": {
        "base": _scale(
            60,
            {
                "50": (98.5, 0.004),
                "100": (96.5, 0.006),
                "200": (92, 0.01),
                "300": (86, 0.014),
                "400": (70, 0.018),
                "500": (54, 0.02),
                "600": (44, 0.02),
                "700": (36, 0.018),
                "800": (27, 0.014),
                "900": (20, 0.012),
                "950": (13, 0.01),
            },
        ),
        "primary": _scale(
            40,
            {
                "50": (97.5, 0.012),
                "100": (94.5, 0.03),
                "200": (89, 0.06),
                "300": (81, 0.1),
                "400": (72, 0.14),
                "500": (66, 0.16),
                "600": (50, 0.15),
                "700": (44, 0.135),
                "800": (38, 0.115),
                "900": (33, 0.095),
                "950": (23, 0.07),
            },
        ),
    },
}
