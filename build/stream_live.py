"""A live stream from a file, in real time: `python build/stream_live.py FILE FOLDER [--seconds N] [--again]`.

What an encoder (OBS, `ffmpeg -re … -f hls -hls_flags program_date_time+temp_file+delete_segments`) leaves in the folder
of a live unit's stream, `<data>/live/<stream>`: index.m3u8 with the time of each segment, and segments of two seconds.
H.264 and AAC are passed on as they are; nothing is encoded anew.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error

OPTIONS = {
    "hls_time": "2",
    "hls_list_size": "30",
    "hls_delete_threshold": "5",
    "hls_flags": "program_date_time+temp_file+delete_segments",
}


def packets(file: Path, again: bool) -> Iterator[tuple[int, Any, float]]:
    """Each packet of the file in its order: stream, packet, and the second at which it is due."""
    began = 0.0
    while True:
        end = began
        with av.open(str(file)) as box:
            for packet in box.demux([s for s in box.streams if s.type in ("video", "audio")]):
                if packet.dts is None or packet.dts < 0:  # what leads in would stand before what was sent
                    continue
                due = began + float(packet.dts * packet.time_base)
                end = max(end, due + float((packet.duration or 0) * packet.time_base))
                shift = round(began / packet.time_base)
                packet.pts, packet.dts = (packet.pts or packet.dts) + shift, packet.dts + shift
                yield packet.stream.index, packet, due
        if not again:
            return
        began = end + 0.04


def stream(file: Path, folder: Path, seconds: float, again: bool) -> None:
    """Write the stream until the file or `seconds` are over, each packet when it is due."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = OPTIONS | {"hls_segment_filename": str(folder / f"{time.time_ns() // 1_000_000}-%06d.ts")}
    with av.open(str(file)) as box, av.open(str(folder / "index.m3u8"), "w", format="hls", options=options) as out:
        kinds = [s for s in box.streams if s.type in ("video", "audio")]
        streams = {s.index: out.add_stream_from_template(s) for s in kinds}
        began = time.monotonic()
        for index, packet, due in packets(file, again):
            if due > seconds:
                break
            time.sleep(max(0.0, due - (time.monotonic() - began)))
            packet.stream = streams[index]
            out.mux(packet)


def main() -> int:
    """One stream; Ctrl-C ends it as its end would."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--again", action="store_true", help="from the beginning again when the file is over")
    args = parser.parse_args()
    try:
        stream(args.file, args.folder, args.seconds, args.again)
    except KeyboardInterrupt:
        return 0
    except (av.error.FFmpegError, OSError) as error:
        print(f"{args.file}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
