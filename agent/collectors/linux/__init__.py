"""Linux: everything by reading /proc, /sys and the X server that the client itself uses."""

from __future__ import annotations

from agent.collectors import QUICK_MS, RARE_MS, SLOW_MS, Collector, Context


def collectors(context: Context) -> tuple[Collector, ...]:
    """All Linux sources with their cadence."""
    from agent.collectors.extensions import Extensions
    from agent.collectors.installed import Installed
    from agent.collectors.libraries import Libraries
    from agent.collectors.linux.cameras import Cameras
    from agent.collectors.linux.clocks import Clocks
    from agent.collectors.linux.files import Files
    from agent.collectors.linux.machine import Machine
    from agent.collectors.linux.networks import Networks
    from agent.collectors.linux.ourselves import Ourselves
    from agent.collectors.linux.pointer import Pointer
    from agent.collectors.linux.processes import Processes
    from agent.collectors.linux.sockets import Sockets
    from agent.collectors.linux.windows import Windows
    from agent.collectors.linux.x11 import Display, Inputs, XServer
    from agent.collectors.ports import DebugPorts
    from agent.collectors.scripts import Scripts

    server, ports = XServer(), DebugPorts(lambda: processes.rows)
    sockets = Sockets(processes=lambda: processes.rows, protocols=ports.read)
    processes = Processes(listen=lambda: sockets.listen)
    extensions = Extensions(processes=lambda: processes.rows)
    return (
        Collector("sockets", SLOW_MS, sockets.collect),
        Collector("processes", QUICK_MS, processes.collect),
        Collector("ourselves", QUICK_MS, Ourselves(context).collect),
        Collector("clocks", QUICK_MS, Clocks().collect),
        Collector("inputs", QUICK_MS, Inputs(server, context).collect),
        Collector("pointer", QUICK_MS, Pointer(XServer(), context).collect),
        Collector("windows", QUICK_MS, Windows(server, context, lambda: processes.rows).collect),
        Collector("files", SLOW_MS, Files(lambda: processes.rows).collect),
        Collector("displays", SLOW_MS, Display(server).collect),
        Collector("cameras", SLOW_MS, Cameras(context).collect),
        Collector("networks", SLOW_MS, Networks(lambda: processes.rows).collect),
        Collector("hosts", RARE_MS, Machine().collect),
        Collector("extensions", RARE_MS, extensions.collect),
        Collector("scripts", SLOW_MS, Scripts(context, lambda: extensions.rows, lambda: processes.rows).collect),
        Collector("installed", RARE_MS, Installed().collect),
        Collector("libraries", QUICK_MS, Libraries(context).collect),
    )
