"""The folders of a hot folder."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.files import rename_noreplace

_PROBE = ".mpsdoctor-probe"
_ELSEWHERE = (
    "Choose a folder on the Mac's own disk, such as ~/mpsdoctor. Background programs may "
    "not use Desktop, Documents, Downloads, iCloud Drive, or external and network volumes."
)


@dataclass(frozen=True)
class Layout:
    """The places under `root`; every move between the folders is a rename."""

    root: Path

    @property
    def inbox(self) -> Path:
        """The user drops files here."""
        return self.root / "inbox"

    @property
    def images(self) -> Path:
        """Published images."""
        return self.root / "images"

    @property
    def done(self) -> Path:
        """Prompt files whose images are published."""
        return self.root / "done"

    @property
    def failed(self) -> Path:
        """Dropped files with a picture that failed, each with its error file."""
        return self.root / "failed"

    @property
    def work(self) -> Path:
        """One folder per claimed job, and the daemon's own files."""
        return self.root / ".work"

    @property
    def lock_file(self) -> Path:
        """The running daemon locks this file; it contains the daemon's process id."""
        return self.work / "daemon.lock"

    @property
    def status_file(self) -> Path:
        """The running daemon's progress."""
        return self.work / "status.json"

    @property
    def worker_file(self) -> Path:
        """The worker's process."""
        return self.work / "worker.json"

    @property
    def folders(self) -> tuple[Path, ...]:
        """The four folders for the user, then the daemon's own."""
        return self.inbox, self.images, self.done, self.failed, self.work

    def create(self) -> None:
        """Creates the missing folders. Raises MpsDoctorError if it cannot."""
        for folder in self.folders:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise MpsDoctorError(
                    f"The hot folder {self.root} cannot be created",
                    detail=f"Creating {folder} failed: {error.strerror}.",
                    hint=_ELSEWHERE,
                ) from error

    def check(self) -> None:
        """Tries the moves that every job needs. Raises MpsDoctorError if one fails."""
        volumes = {folder.stat().st_dev for folder in self.folders}
        if len(volumes) > 1:
            raise MpsDoctorError(
                f"The folders of {self.root} are on different disks",
                detail="A file can be moved safely only within one disk.",
                hint="Replace links and mount points in the hot folder with real folders.",
            )
        for folder in self.folders:
            try:
                self._try_moves(folder)
            except OSError as error:
                raise MpsDoctorError(
                    f"The folder {folder} cannot be used",
                    detail=f"Creating a file there and moving it failed: {error.strerror}.",
                    hint=_ELSEWHERE,
                ) from error

    def _try_moves(self, folder: Path) -> None:
        here, there = self.work / _PROBE, folder / f"{_PROBE}-moved"
        try:
            here.touch()
            there.unlink(missing_ok=True)
            rename_noreplace(here, there)
            list(folder.iterdir())
        finally:
            for probe in (here, there):
                with contextlib.suppress(OSError):
                    probe.unlink()
