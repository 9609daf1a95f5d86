"""A course opens only when every byte is the one the manifest names."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from client.errors import ClientError
from client.player.course import check_file, open_package
from client.player.errors import CourseError, CourseFileError


def test_the_demo_course_opens_and_gives_its_lesson(demo_course: Path) -> None:
    """The committed package is whole: manifest, picture and both captions."""
    package = open_package(demo_course)
    media = package.media("pass", "zh")
    assert media.duration_ms == 60_000
    assert "四步灭火" in media.title
    assert sorted(media.captions) == ["en", "zh"]
    assert media.path.is_file()


def test_low_load_gets_the_smaller_picture_where_there_is_one(course_copy: Path) -> None:
    """It is bound by its hash like any file; a package without one plays what it has."""
    assert open_package(course_copy).media("pass", "zh", lower=True).path.name == "lesson.mp4"
    small, manifest = course_copy / "small.mp4", course_copy / "course.toml"
    small.write_bytes(b"small")
    lower = f'lower = "small.mp4"\nlower_sha256 = "{hashlib.sha256(b"small").hexdigest()}"\nmedia = '
    manifest.write_text(manifest.read_text().replace("media = ", lower, 1))
    package = open_package(course_copy)
    assert package.media("pass", "zh", lower=True).path == small
    assert package.media("pass", "zh").path.name == "lesson.mp4"
    small.write_bytes(b"other")
    with pytest.raises(CourseFileError, match=r"small\.mp4"):
        open_package(course_copy)


@pytest.mark.parametrize("name", ["lesson.mp4", "lesson.zh.vtt", "lesson.en.vtt"])
def test_one_other_byte_refuses_the_course(course_copy: Path, name: str) -> None:
    """Flip one bit of any file: the course does not open, and the file is named."""
    data = bytearray((course_copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (course_copy / name).write_bytes(data)
    with pytest.raises(CourseFileError, match=name):
        open_package(course_copy)


def test_a_manifest_that_the_grant_does_not_name_is_refused(course_copy: Path) -> None:
    """The class studies one version of the course: its manifest's hash stands in the grant."""
    right = hashlib.sha256((course_copy / "course.toml").read_bytes()).hexdigest()
    assert open_package(course_copy, right).course.sha256 == right
    with pytest.raises(CourseFileError, match="the class studies"):
        open_package(course_copy, "0" * 64)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b.mp4", "..", "", "course.toml", "a\x00b", "a\\b"])
def test_no_name_leads_out_of_the_package(tmp_path: Path, name: str) -> None:
    """Path traversal: a file name is a plain name in the package's own folder."""
    with pytest.raises(CourseFileError):
        check_file(tmp_path, name, "0" * 64)


def test_a_link_out_of_the_package_is_refused(course_copy: Path) -> None:
    """A symbolic link with the right bytes behind it is still not a file of the package."""
    media = course_copy / "lesson.mp4"
    outside = course_copy.parent / "outside.mp4"
    media.rename(outside)
    media.symlink_to(outside)
    with pytest.raises(CourseFileError):
        open_package(course_copy)


def test_a_pipe_in_the_package_does_not_hang_the_client(course_copy: Path) -> None:
    """A named pipe never ends; it is refused, not read."""
    (course_copy / "lesson.mp4").unlink()
    os.mkfifo(course_copy / "lesson.mp4")
    with pytest.raises(CourseFileError, match="not a plain file"):
        open_package(course_copy)


@pytest.mark.parametrize("bytes_", [b"", b"\xff\xfe", b"id = 1", b"[[unit]]\n" * 1000, b"a" * (2 << 20)])
def test_a_broken_manifest_says_what_to_do(course_copy: Path, bytes_: bytes) -> None:
    """Only our own error leaves, with a code and a remedy in both languages."""
    (course_copy / "course.toml").write_bytes(bytes_)
    with pytest.raises(CourseError) as caught:
        open_package(course_copy)
    assert isinstance(caught.value, ClientError)
    assert caught.value.code.startswith("TS-C-2")
    assert caught.value.remedy
    assert caught.value.zh


def test_a_missing_folder_or_unit_is_our_error(tmp_path: Path, demo_course: Path) -> None:
    """Nothing there, or no such unit: still our own words."""
    with pytest.raises(CourseFileError):
        open_package(tmp_path / "nothing")
    with pytest.raises(CourseError):
        open_package(demo_course).media("other", "en")
