"""Tables of figures: on the page and as CSV from the same rows."""

from apps.core.admin.sheets import Column, Sheet, count, decimal, share, signed_share

COLUMNS = (
    Column.text("Arm", "arm"),
    Column("Shown", ("shown",), count),
    Column("95 % interval", ("low", "high"), share),
    Column("Beside", ("lift",), signed_share),
    Column("Weight", ("weight",), decimal),
)
ROWS = [
    {
        "arm": "svd",
        "shown": 12345,
        "low": 0.1,
        "high": 0.25,
        "lift": -0.012,
        "weight": 1.005,
        "is_best": True,
    },
    {"arm": "=1+1", "shown": 0, "low": None, "high": None, "is_best": False},
]
SHEET = Sheet("Arms", COLUMNS, ROWS, "/csv", main="is_best")


def test_cells_are_rounded_for_people() -> None:
    first, second = SHEET.lines()
    assert [cell.text for cell in first.cells] == ["svd", "12,345", "10.0% to 25.0%", "-1.2%", "1.00"]
    assert [cell.text for cell in second.cells] == ["=1+1", "0", "–", "–", "–"]
    assert [cell.is_number for cell in first.cells] == [False, True, True, True, True]
    assert (first.is_main, second.is_main) == (True, False)


def test_the_csv_has_every_digit_and_nothing_that_a_spreadsheet_runs() -> None:
    answer = SHEET.as_csv("arms")
    lines = answer.getvalue().decode().splitlines()
    assert lines == ["arm,shown,low,high,lift,weight", "svd,12345,0.1,0.25,-0.012,1.005", "'=1+1,0,,,,"]
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="arms-20')
