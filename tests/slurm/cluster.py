"""A real SLURM of two nodes with two GPUs each on this machine; the GPUs are device files that stand for cards."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

CONFIGURATION = Path("/etc/slurm")
MARK = "# made by the tests of the D-KD bench; they remove it again\n"
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "munged")
DEADLINE = 240.0
"""Seconds that anything may take before a test gives up. Nothing is judged by how long it took."""

SLURM_CONF = """{mark}ClusterName=bench
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
SlurmUser=root
SlurmctldPort={ports[0]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdTimeout=5
KillWait=1
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MpiDefault=none
NodeName=node[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{ports[1]}-{ports[2]}] CPUs={cpus} \
RealMemory={mebibytes} Gres=gpu:2 State=UNKNOWN
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
GRES_CONF = MARK + "NodeName=node1 Name=gpu File={folder}/gpu[0-1]\nNodeName=node2 Name=gpu File={folder}/gpu[2-3]\n"


def missing() -> str | None:
    """Why no cluster can be started here; None if one can."""
    if absent := [program for program in PROGRAMS if shutil.which(program) is None]:
        return f"no {', '.join(absent)}: apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "SLURM's daemons need root"
    known = (CONFIGURATION / name for name in ("slurm.conf", "gres.conf"))
    if (os.cpu_count() or 1) < 2:
        return "two jobs on a node need two cores"
    present = [path for path in known if path.exists() and not path.read_text(encoding="utf-8").startswith(MARK)]
    return f"{present[0]} belongs to somebody else" if present else None


def until(done: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    """Poll until something is so. Raises AssertionError at the deadline."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.2)


class Cluster:
    """Started by `start`; everything it writes is in a folder of its own, but for /etc/slurm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> None:
        """Start munge if it does not run, the controller, and both nodes."""
        _munge()
        for name in ("state", "spool.node1", "spool.node2"):
            (self.folder / name).mkdir()
        for card in range(4):
            os.mknod(self.folder / f"gpu{card}", 0o600 | 0o020000, os.makedev(1, 3))
        CONFIGURATION.mkdir(exist_ok=True)
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 9 // 10 // 2**20
        machine = {"cpus": os.cpu_count(), "mebibytes": memory}
        values = {**machine, "mark": MARK, "host": socket.gethostname(), "folder": self.folder}
        values["ports"] = _free_ports()
        (CONFIGURATION / "slurm.conf").write_text(SLURM_CONF.format(**values), encoding="utf-8")
        (CONFIGURATION / "gres.conf").write_text(GRES_CONF.format(**values), encoding="utf-8")
        subprocess.run(["slurmctld"], check=True)
        until(lambda: "UP" in self.ask("scontrol", "ping"), "the controller answers")
        for node in (1, 2):
            self.start_node(node)
        until(lambda: self.ask("sinfo", "-h", "-N", "-o", "%t").split() == ["idle", "idle"], "both nodes are idle")

    def start_node(self, node: int) -> None:
        """Start one node's daemon."""
        subprocess.run(["slurmd", "-N", f"node{node}"], check=True)

    def kill_node(self, node: int) -> None:
        """Take a node away as a power cut does: its daemon and all processes of its jobs."""
        daemon = int((self.folder / f"slurmd.node{node}.pid").read_text(encoding="utf-8"))
        jobs = _processes_with(f"SLURMD_NODENAME=node{node}")
        for pid in (daemon, *(step for step in map(_parent, jobs) if _is_step(step)), *jobs):
            _kill(pid)

    def hurry(self) -> None:
        """Let requeued jobs start now: SLURM holds them back for two minutes."""
        for line in self.ask("squeue", "-h", "-t", "PENDING", "-o", "%i %r").splitlines():
            job, reason = line.split(maxsplit=1)
            if reason == "BeginTime":
                subprocess.run(
                    ["scontrol", "update", f"JobId={job}", "StartTime=now"], check=False, capture_output=True
                )

    def ask(self, *command: str) -> str:
        """Output of a command of SLURM; empty if it fails."""
        return subprocess.run(command, check=False, capture_output=True, encoding="utf-8").stdout

    def jobs(self) -> dict[str, str]:
        """Job id -> state, of the jobs that are waiting or running."""
        lines = self.ask("squeue", "-h", "-o", "%i %T").splitlines()
        return dict(line.split() for line in lines)

    def stop(self) -> None:
        """End everything, and remove the configuration."""
        subprocess.run(["scancel", "-u", "root", "--signal=KILL"], check=False, capture_output=True)
        for node in (1, 2):
            self.kill_node(node)
        _kill(int((self.folder / "slurmctld.pid").read_text(encoding="utf-8")))
        for name in ("slurm.conf", "gres.conf"):
            (CONFIGURATION / name).unlink(missing_ok=True)


def _munge() -> None:
    if subprocess.run(["munge", "-n"], check=False, capture_output=True).returncode:
        Path("/run/munge").mkdir(exist_ok=True)
        subprocess.run(["chown", "munge", "/run/munge"], check=True)
        subprocess.run(["su", "-s", "/bin/sh", "munge", "-c", "/usr/sbin/munged"], check=True)
        until(lambda: not subprocess.run(["munge", "-n"], check=False, capture_output=True).returncode, "munge answers")


def _free_ports() -> list[int]:
    """One for the controller and two neighbours for the nodes."""
    for first in range(17101, 18000, 3):
        if all(_is_free(port) for port in (first, first + 1, first + 2)):
            return [first, first + 1, first + 2]
    raise OSError("no three free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _processes_with(setting: str) -> list[int]:
    """Processes whose environment holds ``NAME=value``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if setting.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def _is_step(pid: int) -> bool:
    """Whether it is SLURM's own process that looks after a job, and would report its end."""
    try:
        return b"slurmstepd" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
