"""A process's output is read to its end, handed over, and kept within bounds."""

from __future__ import annotations

import os
from collections import deque
from io import BufferedReader, BytesIO
from pathlib import Path

from flinkform.flink.output import Output, copy


def reader(content: bytes) -> BufferedReader:
    return BufferedReader(BytesIO(content))  # type: ignore[arg-type]  # BytesIO is raw enough to read from


def test_first_lines(tmp_path: Path) -> None:
    """The first lines are handed over and stand in no file; the rest does."""
    source, sink = os.pipe()
    os.write(sink, b"4711\nsecret\nhello\nworld\n")
    os.close(sink)
    output = Output(os.fdopen(source, "rb"), tmp_path / "out", lines=2)
    assert [output.line(timeout=10), output.line(timeout=10)] == ["4711", "secret"]
    output.join()
    assert (tmp_path / "out").read_text() == "hello\nworld\n"
    assert output.tail() == "hello world"


def test_ended(tmp_path: Path) -> None:
    """A process that ends before its first lines gives empty ones."""
    source, sink = os.pipe()
    os.close(sink)
    output = Output(os.fdopen(source, "rb"), tmp_path / "out", lines=2)
    assert [output.line(timeout=10), output.line(timeout=10)] == ["", ""]
    output.join()


def test_bounded(tmp_path: Path) -> None:
    """However much is printed, two files of about the limit hold the newest."""
    pipe = reader(b"".join(b"%099d\n" % n for n in range(5000)))
    copy(pipe, tmp_path / "out", last=deque(), limit=100_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.1"]
    assert (tmp_path / "out").read_text().endswith("4999\n")
    assert (tmp_path / "out.1").stat().st_size <= 200_000


def test_nowhere_to_write(tmp_path: Path) -> None:
    """The stream is read to its end though nothing can be written."""
    pipe, last = reader(b"x" * 300_000), deque[bytes]()
    copy(pipe, tmp_path / "gone" / "out", last=last)
    assert pipe.read() == b""
    assert sum(map(len, last)) == 300_000
