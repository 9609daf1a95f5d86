"""Android's word: an activity is in front or it is not. Cover by other windows is not told, split screens are.

`Activity` is the little that is asked of the running activity (through pyjnius there, scripted in tests).
"""

from __future__ import annotations

from typing import Protocol

from client.events import Observation


class Activity(Protocol):
    """The running activity and its system services."""

    def resumed(self) -> bool:
        """Between `onResume` and `onPause`."""

    def focused(self) -> bool:
        """`hasWindowFocus`: false under the notification shade, a dialogue of the system, another window."""

    def multi_window(self) -> bool:
        """`isInMultiWindowMode`: beside another app, or floating."""

    def picture_in_picture(self) -> bool:
        """`isInPictureInPictureMode`."""

    def locked(self) -> bool:
        """`KeyguardManager.isKeyguardLocked`."""


class AndroidProbe:
    """`ForegroundProbe` on Android. In a split screen the lesson is not alone: the other half counts as cover."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def observe(self) -> Observation:
        """One look."""
        activity = self._activity
        resumed = activity.resumed()
        shared = activity.multi_window() or activity.picture_in_picture()
        return Observation(
            focused=resumed and activity.focused(),
            minimised=not resumed,
            covered=500 if resumed and shared else None,
            locked=activity.locked(),
            source="android",
        )
