"""What the update repository offers, by The Update Framework: signed, never older than what was seen, never frozen.

python-tuf's `Updater` verifies (specification 1.0.33, section 5); this file gives it our connections, asks for the
ring's pointer and the release's manifest, and fetches the blobs that are missing. Roots of trust come with the client.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

import requests
import urllib3
from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    ExpiredMetadataError,
    RepositoryError,
    SlowRetrievalError,
)
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from client import release
from client.config import Config
from client.errors import ClientError, DiskError
from client.release import BadReleaseError, File, Pointer, Release
from client.sync.transport import PIECE, TIMEOUT, Connections, session

T = TypeVar("T")
ROOT: Final = Path(__file__).with_name("update_root.json")  # put there when a client is built for a repository
MAX_POINTER, MAX_MANIFEST = 4096, 8 << 20
SLOWEST: Final = 1024  # bytes a second over a minute; a server that is slower keeps us waiting on purpose
PATIENCE_S: Final = 60.0


class UpdateRefusedError(ClientError):
    """What the repository offers is not signed as it must be, older than what was seen, or kept back from us."""

    code = "TS-C-502"
    remedy = "The version in use stays. Check this computer's clock and network; if it stays, tell the administrator."
    zh = "更新未通过验证，继续使用当前版本。请检查本机时间和网络；如一直如此，请联系管理员。"


class NoUpdateSourceError(ClientError):
    """This client was built without a root of trust for updates, or none is configured."""

    code = "TS-C-503"
    remedy = "Your administrator or package system keeps this client up to date."
    zh = "本客户端由管理员或系统软件包负责更新。"


class UpdateUnreachableError(ClientError):
    """The repository did not answer."""

    code = "TS-C-504"
    remedy = "The version in use stays; it is tried again later."
    zh = "暂时无法连接更新服务器，继续使用当前版本，稍后会再次尝试。"


class Fetcher(FetcherInterface):
    """python-tuf's way to the network: our proxy, our authorities, no redirects, and no server that dribbles.

    `patience`: seconds until the answer has begun, and of which a slow one may fall short of `SLOWEST`.
    """

    def __init__(
        self, connections: Connections, clock: Callable[[], float] = time.monotonic, patience: float = PATIENCE_S
    ) -> None:
        self._session, self._clock, self._patience = connections, clock, patience

    def _fetch(self, url: str) -> Iterator[bytes]:
        self._session.deadline.begin(self._patience)
        answer = self._session.get(url, timeout=TIMEOUT, stream=True, allow_redirects=False)
        if answer.status_code != 200:
            answer.close()
            raise DownloadHTTPError(f"{answer.status_code}", answer.status_code)
        return self._pieces(answer)

    def _pieces(self, answer: requests.Response) -> Iterator[bytes]:
        began, came = self._clock(), 0
        with answer:
            while piece := _read(answer):
                came += len(piece)
                waited = self._clock() - began
                left = max(self._patience, came / SLOWEST) - waited
                if left < 0:
                    raise SlowRetrievalError(f"{came} bytes in {waited:.0f} s")
                self._session.deadline.begin(left)  # also within what is read next
                yield piece


def _read(answer: requests.Response) -> bytes:
    """What has come by now, b"" at the end: a piece is not waited for until it is full."""
    try:
        return bytes(answer.raw.read1(PIECE, decode_content=True))
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise DownloadError(type(error).__name__) from error


class Repository:
    """One repository, as one client sees it. `folder` keeps what was verified: nothing older is taken afterwards."""

    def __init__(self, address: str, folder: Path, root: bytes, fetcher: FetcherInterface) -> None:
        self._address = address.rstrip("/")
        self._fetcher = fetcher
        self._folder = folder
        (folder / "targets").mkdir(mode=0o700, parents=True, exist_ok=True)
        self._updater = _said(
            lambda: Updater(
                str(folder), f"{self._address}/metadata/", str(folder / "targets"), f"{self._address}/targets/",
                fetcher, bootstrap=root,
            )
        )  # fmt: skip

    @classmethod
    def configured(cls, config: Config, folder: Path, root: Path = ROOT) -> Repository:
        """The repository that the settings name; `NoUpdateSourceError` where there is none."""
        if not config.updates:
            raise NoUpdateSourceError("no repository of updates is configured")
        try:
            anchor = root.read_bytes()
        except OSError:
            raise NoUpdateSourceError("this client was built without a root of trust for updates") from None
        return cls(config.updates, folder, anchor, Fetcher(session(config.proxy, config.ca)))

    def pointer(self, ring: str, platform: str) -> Pointer:
        """Where a ring is."""
        return release.parse_pointer(self._target(f"rings/{ring}-{platform}.json", MAX_POINTER))

    def manifest(self, version: str, platform: str) -> Release:
        """The release of a version for a platform, and of no other."""
        found = release.parse(self._target(f"releases/{version}-{platform}.json", MAX_MANIFEST))
        if (found.version, found.platform) != (version, platform):
            raise BadReleaseError(f"the manifest of {version} for {platform} is that of another release")
        return found

    def fetch(self, file: File) -> bytes:
        """The unpacked bytes of one file."""
        def download() -> bytes:
            with self._fetcher.download_file(f"{self._address}/{file.blob}", file.packed) as packed:
                return bytes(packed.read())

        return release.unpack(file, _said(download))

    def _target(self, path: str, at_most: int) -> bytes:
        def download() -> bytes:
            info = self._updater.get_targetinfo(path)
            if info is None:
                raise RepositoryError(f"{path} is not offered")
            if info.length > at_most:
                raise RepositoryError(f"{path} is of {info.length} bytes")
            return Path(self._updater.download_target(info)).read_bytes()

        return _said(download)


def _said(job: Callable[[], T]) -> T:
    """Run `job`; what python-tuf raises becomes one of our own errors."""
    try:
        return job()
    except ExpiredMetadataError as error:
        raise UpdateRefusedError(f"too old to be believed: {error}") from error
    except RepositoryError as error:
        raise UpdateRefusedError(str(error)[:300]) from error
    except DownloadError as error:
        raise UpdateUnreachableError(f"{type(error).__name__}: {str(error)[:200]}") from error
    except OSError as error:
        raise DiskError(f"updates: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:  # metadata of no form at all
        raise UpdateRefusedError(f"no metadata: {type(error).__name__}") from error
