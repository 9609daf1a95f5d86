"""macOS: libproc, the window server, IOKit and property lists, through ctypes. It starts and asks for nothing."""

from __future__ import annotations

from agent.collectors import QUICK_MS, RARE_MS, SLOW_MS, Collector, Context


def collectors(context: Context) -> tuple[Collector, ...]:
    """All macOS sources with their cadence."""
    from agent.collectors.desktop import Desktop
    from agent.collectors.extensions import Extensions
    from agent.collectors.inputs import Inputs
    from agent.collectors.installed import Installed
    from agent.collectors.libraries import Libraries
    from agent.collectors.macos.cameras import Cameras
    from agent.collectors.macos.clocks import Clocks
    from agent.collectors.macos.desktop import foreground_pid, visible_windows
    from agent.collectors.macos.displays import Displays
    from agent.collectors.macos.machine import Machine
    from agent.collectors.macos.networks import Networks
    from agent.collectors.macos.ourselves import SystemSelves
    from agent.collectors.macos.processes import SystemProcesses
    from agent.collectors.macos.sockets import Sockets
    from agent.collectors.macos.tap import Tap
    from agent.collectors.ports import DebugPorts
    from agent.collectors.scripts import Scripts
    from agent.collectors.selves import Ourselves
    from agent.collectors.table import Processes

    tap, ports = Tap(), DebugPorts(lambda: processes.rows)
    sockets = Sockets(protocols=ports.read)
    processes = Processes(SystemProcesses(), listen=lambda: sockets.listen)
    extensions = Extensions(processes=lambda: processes.rows)
    desktop = Desktop(tap.ready, context, lambda: processes.rows, visible_windows, foreground_pid)
    return (
        Collector("sockets", SLOW_MS, sockets.collect),
        Collector("processes", QUICK_MS, processes.collect),
        Collector("ourselves", QUICK_MS, Ourselves(context, SystemSelves()).collect),
        Collector("clocks", QUICK_MS, Clocks().collect),
        Collector("inputs", QUICK_MS, Inputs(tap.ready, context).collect),
        Collector("windows", QUICK_MS, desktop.collect),
        Collector("displays", SLOW_MS, Displays().collect),
        Collector("cameras", SLOW_MS, Cameras(context).collect),
        Collector("networks", SLOW_MS, Networks(lambda: processes.rows).collect),
        Collector("hosts", RARE_MS, Machine().collect),
        Collector("extensions", RARE_MS, extensions.collect),
        Collector("scripts", SLOW_MS, Scripts(context, lambda: extensions.rows, lambda: processes.rows).collect),
        Collector("installed", RARE_MS, Installed().collect),
        Collector("libraries", QUICK_MS, Libraries(context).collect),
    )
