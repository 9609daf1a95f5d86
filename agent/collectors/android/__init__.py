"""Android: what its interface shows a program of others, asked through one port (`port.py`)."""

from __future__ import annotations

from agent.collectors import QUICK_MS, RARE_MS, SLOW_MS, Collector, Context
from agent.collectors.android.port import Device


def collectors(context: Context, device: Device | None = None) -> tuple[Collector, ...]:
    """All Android sources with their cadence; without a `device` the one that Java knows."""
    from agent.collectors.android.jni import JavaDevice
    from agent.collectors.android.ourselves import Ourselves
    from agent.collectors.android.sources import Cameras, Clocks, Displays, Phone
    from agent.collectors.installed import Installed

    phone: Device = device if device is not None else JavaDevice()
    return (
        Collector("androids", SLOW_MS, Phone(phone).collect),
        Collector("ourselves", QUICK_MS, Ourselves(phone).collect),
        Collector("clocks", QUICK_MS, Clocks(phone).collect),
        Collector("displays", SLOW_MS, Displays(phone).collect),
        Collector("cameras", SLOW_MS, Cameras(phone, context).collect),
        Collector("installed", RARE_MS, Installed().collect),
    )
