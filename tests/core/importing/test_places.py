"""A zip is read where it lies, within bounds."""

import stat
import zipfile
from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.core.importing.places import Folder, Zip


def make_zip(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def refusal(path: Path, name: str = "a.csv") -> str:
    with pytest.raises(InvalidInput) as refused, Zip(path).open(name) as stream:
        stream.read()
    return refused.value.detail


def test_a_zip_holds_files_by_their_last_names(tmp_path: Path) -> None:
    names = {
        "set/a.csv": b"a",
        "__MACOSX/set/a.csv": b"other",
        "very/deep/down/here/b.csv": b"b",
        "set/": b"",
    }
    place = Zip(make_zip(tmp_path / "set.zip", **names))
    assert place.names() == {"a.csv"}
    with place.open("a.csv") as stream:
        assert stream.read() == b"a"


def test_no_path_of_a_zip_is_ever_written_to(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    archive = make_zip(home / "set.zip", **{"../../a.csv": b"a", "/etc/b.csv": b"b"})
    place = Zip(archive)
    with place.open("a.csv") as stream:
        assert stream.read() == b"a"
    assert sorted(tmp_path.rglob("*")) == [home, archive]


def test_refuses_a_zip_with_a_name_twice(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "set.zip", **{"one/a.csv": b"", "two/a.csv": b""})
    with pytest.raises(InvalidInput, match=r"^The zip holds a\.csv twice$"):
        Zip(archive)


def test_refuses_a_file_that_grows_beyond_measure(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "bomb.zip", **{"a.csv": b"\0" * 10_000_000})
    told = r"^a\.csv in bomb\.zip would grow to 10000000 bytes from \d+: that is no data set$"
    with pytest.raises(InvalidInput, match=told), Zip(archive).open("a.csv"):
        pass


def test_reads_no_more_than_the_zip_says_that_a_file_has(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "liar.zip", **{"a.csv": b"\0" * 1_000_000})
    place = Zip(archive)
    place.members["a.csv"].file_size = 1000
    with (
        pytest.raises(InvalidInput, match=r"^a\.csv in liar\.zip cannot be read: "),
        place.open("a.csv") as stream,
    ):
        assert len(stream.read()) <= 1000


def test_refuses_a_damaged_file(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "set.zip", **{"a.csv": bytes(range(256)) * 50})
    data = bytearray(archive.read_bytes())
    data[60:90] = b"\xff" * 30
    archive.write_bytes(data)
    assert refusal(archive).startswith("a.csv in set.zip cannot be read: ")


def test_refuses_an_encrypted_file(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "set.zip", **{"a.csv": b"a"})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert refusal(archive) == "a.csv in set.zip is encrypted"


def test_refuses_what_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_text("not a zip")
    told = r"^set\.zip is not a zip that can be read: File is not a zip file$"
    with pytest.raises(InvalidInput, match=told):
        Zip(tmp_path / "set.zip")


def test_refuses_what_is_no_regular_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").symlink_to("/dev/zero")
    assert stat.S_ISCHR((tmp_path / "a.csv").stat().st_mode)
    assert Folder(tmp_path).names() == set()
    with pytest.raises(InvalidInput, match=r"^a\.csv is not a regular file$"), Folder(tmp_path).open("a.csv"):
        pass
