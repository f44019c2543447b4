"""Recording what is seen, in any format that python-can writes."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinaxle.errors import UserError

if TYPE_CHECKING:
    import can


class Recorder:
    """Writes frames to a file from `start` to `stop`. Every frame is recorded, whatever the filter shows."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.frames = 0
        self.problem = ""
        """Why a recording ended by itself."""
        self._logger: Any = None

    @property
    def is_on(self) -> bool:
        """True while recording."""
        return self._logger is not None

    def start(self, path: Path) -> None:
        """Open a file; its suffix chooses the format. Raises UserError if it cannot be opened, or exists."""
        import can

        self.stop()
        if path.exists():
            raise UserError(f"{path} exists already: choose another name")
        try:
            self._logger = can.Logger(path)
        except Exception as error:  # each writer raises what it happens to
            raise UserError(f"{path}: cannot be recorded to: {error}") from None
        self.path, self.frames, self.problem = path, 0, ""

    def feed(self, frames: "Iterable[can.Message]") -> None:
        """Write frames, if recording. A file that can no longer be written ends the recording: see `problem`."""
        if self._logger is None:
            return
        write = self._logger.on_message_received
        try:
            for frame in frames:
                write(frame)
                self.frames += 1
        except Exception as error:
            self._fail(error)

    def stop(self) -> None:
        """Close the file."""
        logger, self._logger = self._logger, None
        if logger is not None:
            try:
                logger.stop()
            except Exception as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.problem = f"recording to {self.path} ended after {self.frames} frames: {error}"
        logger, self._logger = self._logger, None
        if logger is not None:
            try:
                logger.stop()
            except Exception:  # the file is lost already; the first error is the one to tell
                return


def default_name() -> str:
    """A name for a recording or picture that is made at this moment, without suffix."""
    return time.strftime("sniff-%Y%m%d-%H%M%S")
