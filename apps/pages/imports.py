"""Imports as their pages show them: where files come from, what one would change, and what it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.units import viewer_timezone
from apps.ratings.imports.own import samples_of
from apps.ratings.imports.reading import scale_of
from apps.ratings.models import Import, ImportRow

PAGE_LENGTH = 10
_Kind, _Status = ImportRow.Kind, ImportRow.Status


@dataclass(frozen=True)
class Guide:
    """Where a site hides its export. ``scale`` says what becomes of its stars or points."""

    site: str
    where: str
    takes: str
    scale: str


def _guide(site: Import.Site, where: str, takes: str) -> Guide:
    return Guide(str(site.label), where, takes, scale_of(site))


GUIDES = (
    _guide(
        Import.Site.LETTERBOXD,
        "Settings, then Data, then “Export your data”.",
        "The zip as it comes, or ratings.csv, diary.csv or watchlist.csv out of it.",
    ),
    _guide(
        Import.Site.IMDB,
        "Your ratings (or your watchlist), then Export in the menu at the top of the list; the file "
        "appears under Exports.",
        "The CSV as it comes. A watchlist must have “watchlist” in its file name. Series and episodes "
        "are left out.",
    ),
    _guide(
        Import.Site.TRAKT,
        "Settings, then Data, then Export; or the export button of your ratings.",
        "The zip, the JSON or the CSV. Shows and episodes are left out.",
    ),
    _guide(
        Import.Site.MOVIELENS,
        "On movielens.org: your profile, then Settings, then Import/export, then “export ratings”.",
        "The CSV as it comes; it has no dates. Or the rows of one person out of ratings.csv of a data set.",
    ),
    _guide(
        Import.Site.MARQUEE,
        "Settings, then Your data, then Export, here or on another Marquee.",
        "The zip as it comes: ratings, favourites, watchlist, thumbs and dismissals come back as they were.",
    ),
)


@dataclass(frozen=True)
class Count:
    """One number of a preview or a result."""

    number: int
    label: str


@dataclass(frozen=True)
class Choice:
    """A rule to choose, and what it would do."""

    value: str
    label: str
    effect: str
    is_chosen: bool


@dataclass(frozen=True)
class Line:
    """One row of a file. ``theirs`` and ``mine`` are in words; ``mine`` is empty if nothing was said."""

    line: int
    title: str
    year: int | None
    movie_id: int | None
    theirs: str
    mine: str
    why: str


@dataclass(frozen=True)
class Group:
    """The first rows of one status, and how many there are in all."""

    slug: str
    title: str
    text: str
    total: int
    lines: Sequence[Line]


_GROUPS: Mapping[ImportRow.Status, tuple[str, str]] = {
    _Status.CONFLICT: ("Different from yours", "You and the file say different things of these films."),
    _Status.NEW: ("New", "You have not said this of these films yet."),
    _Status.UNMATCHED: ("Not found", "No film here is surely the one that these rows mean."),
    _Status.UNCHANGED: ("The same already", "Nothing changes for these films."),
}


@dataclass(frozen=True)
class ImportPage:
    """One import. Before it is applied ``choices`` holds the rules, if there is anything to decide."""

    one: Import
    scale: str
    zone: tzinfo
    counts: Sequence[Count]
    left_out: Sequence[str]
    choices: Sequence[Choice]
    groups: Sequence[Group]

    @property
    def is_waiting(self) -> bool:
        return self.one.status == Import.Status.PREVIEWED

    @property
    def n_writable(self) -> int:
        """How many rows some rule would write."""
        return self.one.n_new + self.one.n_conflicts

    @property
    def has_unmatched(self) -> bool:
        return self.one.n_unmatched > 0 and self.one.pruned_at is None


@dataclass(frozen=True)
class PastImports:
    page: Page[Any]
    zone: tzinfo


def import_page(request: HttpRequest, viewer: User, one: Import, chosen: str) -> ImportPage:
    """One query, whatever the file's size. ``chosen`` is the rule that is ticked."""
    samples = samples_of(one)
    return ImportPage(
        one=one,
        scale=scale_of(one.site),
        zone=_zone(request, viewer),
        counts=_counts(one),
        left_out=_left_out(one),
        choices=_choices(one, chosen) if one.n_conflicts else (),
        groups=[_group(one, status, rows) for status, rows in samples.items()],
    )


def past_imports(request: HttpRequest, viewer: User | None) -> PastImports:
    """The latest first. Two queries."""
    rows = Import.objects.of(viewer.pk).order_by("-pk") if viewer else Import.objects.none()
    page = Paginator(rows, PAGE_LENGTH).get_page(request.GET.get("page"))
    return PastImports(page, _zone(request, viewer))


def sentence_of_import(one: Import) -> str:
    """What applying did."""
    parts = {"added": one.n_added, "changed": one.n_changed, "left as you had it": one.n_kept}
    done = ", ".join(f"{number} {what}" for what, number in parts.items() if number)
    return f"Your import is done: {done or 'nothing had to change'}."


def sentence_of_undoing(one: Import) -> str:
    """What undoing did."""
    left = f" {one.n_left} that you changed since stayed as now." if one.n_left else ""
    return f"Your import is undone: {one.n_restored} put back as before.{left}"


def _zone(request: HttpRequest, viewer: User | None) -> tzinfo:
    return viewer_timezone(request, viewer) or timezone.get_default_timezone()


def _counts(one: Import) -> list[Count]:
    if one.status == Import.Status.PREVIEWED:
        return [
            Count(one.n_new, "new"),
            Count(one.n_conflicts, "different from yours"),
            Count(one.n_unchanged, "the same already"),
            Count(one.n_unmatched, "not found"),
        ]
    applied = [Count(one.n_added, "added"), Count(one.n_changed, "changed"), Count(one.n_kept, "kept yours")]
    if one.status == Import.Status.APPLIED:
        return [*applied, Count(one.n_unmatched, "not found")]
    return [Count(one.n_restored, "put back"), Count(one.n_left, "left alone, you changed them since")]


def _left_out(one: Import) -> list[str]:
    reasons = [f"{number} {why}" for why, number in sorted(one.skipped.items())]
    if one.n_repeated:
        reasons.append(f"{one.n_repeated} about a film that another row says more of")
    return reasons


def _choices(one: Import, chosen: str) -> list[Choice]:
    return [
        Choice(rule.value, str(rule.label), _effect(one, rule), is_chosen=rule.value == chosen)
        for rule in (Import.Rule.NEWER, Import.Rule.MINE, Import.Rule.FILE)
    ]


def _effect(one: Import, rule: Import.Rule) -> str:
    changed = one.changed_by(rule)
    kept = one.n_conflicts - changed
    parts = [f"{changed} of yours {'changes' if changed == 1 else 'change'}"] if changed else []
    parts += (
        [f"{kept} {'stays' if kept == 1 else 'stay'} as {'it is' if kept == 1 else 'they are'}"]
        if kept
        else []
    )
    return ", ".join(parts)


def _group(one: Import, status: ImportRow.Status, rows: Sequence[ImportRow]) -> Group:
    totals = {
        _Status.CONFLICT: one.n_conflicts,
        _Status.NEW: one.n_new,
        _Status.UNMATCHED: one.n_unmatched,
        _Status.UNCHANGED: one.n_unchanged,
    }
    title, text = _GROUPS[status]
    return Group(status.value, title, text, totals[status], [_line(row) for row in rows])


def _line(row: ImportRow) -> Line:
    """A film that was found goes by our title."""
    movie = row.movie
    return Line(
        line=row.line,
        title=movie.title if movie else row.title or _ids(row),
        year=movie.year if movie else row.year,
        movie_id=row.movie_id,
        theirs=_words(row.kind, row.state),
        mine=_words(row.kind, row.before_state) if row.before_at else "",
        why=row.why,
    )


def _ids(row: ImportRow) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.ids.items())


_STATES: Mapping[str, Mapping[float, str]] = {
    _Kind.FAVORITE: {1: "favourite", 0: "no favourite"},
    _Kind.WATCHLIST: {1: "on the watchlist", 0: "off the watchlist"},
    _Kind.THUMB: {1: "thumb up", 0: "no thumb", -1: "thumb down"},
    _Kind.DISMISSAL: {1: "not for me", 0: "restored"},
    _Kind.UNSEEN: {1: "not seen", 0: "seen"},
}


def _words(kind: str, state: float | None) -> str:
    if state is None:
        return "taken back"
    if kind == _Kind.RATING:
        return f"{state:g} {'star' if state <= 1 else 'stars'}"
    return _STATES[kind][state]
