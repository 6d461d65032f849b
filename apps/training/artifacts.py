"""Model files: a folder of ``.npy`` arrays and a manifest that says what each must be.

A folder appears under its name complete or not at all: it is written beside, every file and the
folder itself are synced, then it is renamed. Nothing here is ever unpickled.

``open_artifact`` looks at sizes, shapes and dtypes alone and maps the arrays into memory, which
costs the same for any size. ``verify_artifact`` reads every byte that this process has not read before.
A process verifies a version before the version serves: the trainer before activating it, any other in
the thread that loads it.

An array that a version shares with the one that it was made from is one file under two names (a hard
link): it is neither written nor read again. So no file is ever written to once it has its name.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FORMAT = 1
MANIFEST = "manifest.json"
_NAME = re.compile(r"[a-z0-9_]+")
PARTIAL = ".partial-"
"""What a folder's name begins with until it is whole."""
_DIGESTS_KEPT = 4096
_digests: dict[tuple[int, int, int, int], str] = {}

Groups = Mapping[str, Mapping[str, npt.NDArray[Any]]]
"""Arrays by name, by the part of the model that they belong to."""


class ArtifactRefused(Exception):
    """A model file is not what its manifest says. ``reason`` is one word for a counter."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class ArraySpec:
    """What one file must be."""

    file: str
    sha256: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int


@dataclass(frozen=True)
class Artifact:
    """An open artifact. ``groups`` are read-only and mapped from the files; ``about`` is JSON."""

    path: Path
    manifest_sha256: str
    about: Mapping[str, Any]
    groups: Groups
    specs: Mapping[str, ArraySpec] = field(repr=False)
    """By ``group.name``."""

    @property
    def n_bytes(self) -> int:
        return sum(spec.bytes for spec in self.specs.values())

    def bytes_beside(self, other: "Artifact | None") -> int:
        """Bytes of the arrays that are not those of ``other``: what this one takes on the disk beside it."""
        shared = {spec.sha256 for spec in other.specs.values()} if other else frozenset()
        return sum(spec.bytes for spec in self.specs.values() if spec.sha256 not in shared)


def save_artifact(
    path: Path, groups: Groups, about: Mapping[str, Any], *, before: Artifact | None = None
) -> Artifact:
    """Writes ``path``, which must not exist, reads it back and opens it.

    ``about`` is JSON: recipe, parameters, counts, names. What is the same in ``before``, an artifact that
    is open and verified, is shared with it. Raises ``ValueError`` for a name that is not lower case
    letters, digits and underscores or an array of objects, ``OSError`` when the disk refuses; in either
    case nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f"{PARTIAL}{path.name}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        _write_files(partial, groups, about, before)
        verify_artifact(partial)
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _sync(path.parent)
    return open_artifact(path)


def open_artifact(path: Path, manifest_sha256: str = "") -> Artifact:
    """The artifact in ``path``, its arrays mapped.

    Raises ``ArtifactRefused`` naming the file that is missing, truncated or of another shape, and
    for a manifest whose hash is not ``manifest_sha256`` (unless that is empty).
    """
    raw = _read(path / MANIFEST)
    digest = hashlib.sha256(raw).hexdigest()
    if manifest_sha256 and digest != manifest_sha256:
        raise ArtifactRefused("altered", f"{path / MANIFEST} was altered after it was written.")
    manifest = _parse(path, raw)
    specs = {name: _spec(entry) for name, entry in manifest["arrays"].items()}
    groups: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for name, spec in specs.items():
        group, _, array = name.partition(".")
        groups.setdefault(group, {})[array] = _map_array(path / spec.file, spec)
    return Artifact(
        path=path,
        manifest_sha256=digest,
        about=manifest["about"],
        groups=groups,
        specs=specs,
    )


def verify_artifact(path: Path) -> None:
    """Reads every byte, of files that this process found right before only what the system says of them.

    Raises ``ArtifactRefused`` naming the first file that was altered.
    """
    for spec in open_artifact(path).specs.values():
        if _digest(path / spec.file) != spec.sha256:
            raise ArtifactRefused("altered", f"{path / spec.file} was altered after it was written.")


def discard_artifact(path: Path) -> None:
    """Removes the folder, and what an interrupted ``save_artifact`` left of it. Never raises.

    Processes that have it mapped go on serving from it.
    """
    shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(path.parent / f"{PARTIAL}{path.name}", ignore_errors=True)


def _write_files(folder: Path, groups: Groups, about: Mapping[str, Any], before: Artifact | None) -> None:
    arrays = {
        f"{group}.{name}": _place_array(folder, group, name, array, before)
        for group, members in groups.items()
        for name, array in members.items()
    }
    manifest = {"format": FORMAT, "about": about, "arrays": arrays}
    with (folder / MANIFEST).open("w", encoding="utf-8") as stream:
        json.dump(manifest, stream, indent=1, sort_keys=True, allow_nan=False)
        stream.flush()
        os.fsync(stream.fileno())
    _sync(folder)


def _place_array(
    folder: Path, group: str, name: str, array: npt.NDArray[Any], before: Artifact | None
) -> dict[str, object]:
    """The array's entry in the manifest, its file in place."""
    for part in (group, name):
        if not _NAME.fullmatch(part):
            raise ValueError(f"an array's name is of a-z, 0-9 and _, not {part!r}")
    file = folder / f"{group}.{name}.npy"
    known = before.specs.get(f"{group}.{name}") if before else None
    if before is None or known is None:
        return _write_array(file, array)
    source = before.path / known.file
    if _is_same_memory(array, before.groups[group][name]) and _link(source, file):
        return {**asdict(known), "file": file.name, "shape": list(known.shape)}
    entry = _write_array(file, array)
    if entry["sha256"] == known.sha256:
        # Learned anew and the same: the disk holds it once.
        file.unlink()
        if not _link(source, file):
            return _write_array(file, array)
    return entry


def _is_same_memory(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    """Whether both are the same bytes of the same file, laid out alike."""
    return (
        one.shape == other.shape
        and one.dtype == other.dtype
        and one.strides == other.strides
        and one.ctypes.data == other.ctypes.data
    )


def _link(source: Path, file: Path) -> bool:
    """False where the disk knows no second names, or the file has as many as it may."""
    try:
        os.link(source, file)
    except OSError:
        return False
    return True


def _write_array(file: Path, array: npt.NDArray[Any]) -> dict[str, object]:
    # Not "w+b", for which numpy copies the array piece by piece.
    with file.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())
    return {
        "file": file.name,
        "sha256": _digest(file),
        "shape": list(array.shape),
        "dtype": array.dtype.str,
        "bytes": file.stat().st_size,
    }


def _digest(file: Path) -> str:
    """The file's SHA-256, remembered for as long as the system says that it is the same file."""
    with file.open("rb") as stream:
        facts = os.fstat(stream.fileno())
        key = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
        if key not in _digests:
            if len(_digests) >= _DIGESTS_KEPT:
                _digests.clear()
            _digests[key] = hashlib.file_digest(stream, "sha256").hexdigest()
        return _digests[key]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise ArtifactRefused("missing", f"{file} is missing.") from None
    except OSError as error:
        raise ArtifactRefused("unreadable", f"{file} cannot be read: {error.strerror}.") from None


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(raw)
        version, _, _ = manifest["format"], manifest["arrays"], manifest["about"]
    except (ValueError, KeyError, TypeError):
        raise ArtifactRefused("altered", f"{path / MANIFEST} is not a manifest of a model.") from None
    if version != FORMAT:
        raise ArtifactRefused(
            "format",
            f"{path / MANIFEST} is of format {version!r}, not {FORMAT}: run manage.py train.",
        )
    return dict(manifest)


def _spec(entry: Mapping[str, Any]) -> ArraySpec:
    return ArraySpec(
        file=entry["file"],
        sha256=entry["sha256"],
        shape=tuple(entry["shape"]),
        dtype=entry["dtype"],
        bytes=entry["bytes"],
    )


def _map_array(file: Path, spec: ArraySpec) -> npt.NDArray[Any]:
    try:
        size = file.stat().st_size
    except OSError:
        raise ArtifactRefused("missing", f"{file} is missing.") from None
    if size < spec.bytes:
        raise ArtifactRefused("truncated", f"{file} is truncated: {size} bytes of {spec.bytes}.")
    if size > spec.bytes:
        raise ArtifactRefused("altered", f"{file} was altered: {size} bytes instead of {spec.bytes}.")
    try:
        # An empty array has nothing to map.
        array = np.load(file, mmap_mode="r" if 0 not in spec.shape else None, allow_pickle=False)
    except (OSError, ValueError):
        raise ArtifactRefused("altered", f"{file} is not an array of numbers.") from None
    if array.shape != spec.shape or array.dtype.str != spec.dtype:
        raise ArtifactRefused(
            "altered",
            f"{file} holds {array.dtype.str} {array.shape} instead of {spec.dtype} {spec.shape}.",
        )
    array.flags.writeable = False
    return np.asarray(array)
