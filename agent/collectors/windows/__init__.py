"""Windows: everything by its own libraries through ctypes, and by the registry. Nothing is started, nothing changed."""

from __future__ import annotations

from agent.collectors import QUICK_MS, RARE_MS, SLOW_MS, Collector, Context


def collectors(context: Context) -> tuple[Collector, ...]:
    """All Windows sources with their cadence."""
    from agent.collectors.desktop import Desktop
    from agent.collectors.extensions import Extensions
    from agent.collectors.files import Files
    from agent.collectors.inputs import Inputs
    from agent.collectors.installed import Installed
    from agent.collectors.libraries import Libraries
    from agent.collectors.ports import DebugPorts
    from agent.collectors.scripts import Scripts
    from agent.collectors.selves import Ourselves
    from agent.collectors.table import Processes
    from agent.collectors.windows.cameras import Cameras
    from agent.collectors.windows.clocks import Clocks
    from agent.collectors.windows.desktop import foreground_pid, visible_windows
    from agent.collectors.windows.displays import Displays
    from agent.collectors.windows.ear import Ear
    from agent.collectors.windows.files import SYSTEM, told
    from agent.collectors.windows.machine import Machine
    from agent.collectors.windows.networks import Networks
    from agent.collectors.windows.ourselves import SystemSelves
    from agent.collectors.windows.processes import SystemProcesses
    from agent.collectors.windows.registry import SystemRegistry
    from agent.collectors.windows.signatures import MAX_FILE, Signers
    from agent.collectors.windows.sockets import Sockets

    registry, ear, ports = SystemRegistry(), Ear(), DebugPorts(lambda: processes.rows)
    sockets = Sockets(protocols=ports.read)
    signers = Signers(budget=MAX_FILE) if context.patient else Signers()
    processes = Processes(SystemProcesses(signers=signers), listen=lambda: sockets.listen)
    extensions = Extensions(processes=lambda: processes.rows)
    desktop = Desktop(ear.ready, context, lambda: processes.rows, visible_windows, foreground_pid)
    return (
        Collector("sockets", SLOW_MS, sockets.collect),
        Collector("processes", QUICK_MS, processes.collect),
        Collector("ourselves", QUICK_MS, Ourselves(context, SystemSelves()).collect),
        Collector("clocks", QUICK_MS, Clocks().collect),
        Collector("inputs", QUICK_MS, Inputs(ear.ready, context).collect),
        Collector("windows", QUICK_MS, desktop.collect),
        Collector("files", SLOW_MS, Files(lambda: processes.rows, told, SYSTEM).collect),
        Collector("displays", SLOW_MS, Displays(registry).collect),
        Collector("cameras", SLOW_MS, Cameras(context, registry).collect),
        Collector("networks", SLOW_MS, Networks(registry, lambda: processes.rows).collect),
        Collector("hosts", RARE_MS, Machine(registry).collect),
        Collector("extensions", RARE_MS, extensions.collect),
        Collector("scripts", SLOW_MS, Scripts(context, lambda: extensions.rows, lambda: processes.rows).collect),
        Collector("installed", RARE_MS, Installed().collect),
        Collector("libraries", QUICK_MS, Libraries(context).collect),
    )
