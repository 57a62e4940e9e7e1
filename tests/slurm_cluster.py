"""A real SLURM of one node on the loopback interface, with pretended GPUs, for tests.

    python tests/slurm_cluster.py up       install Debian's packages if they are missing (root), start, wait
    eval "$(python tests/slurm_cluster.py env)"
    python tests/slurm_cluster.py down     stop what `up` started, by process id

No systemd, no cgroups. Jobs in the partition `high` preempt those in `debug`, which are warned by their own
signal and queued again. A pretended GPU is /dev/null under another name: scheduled and counted like a real one.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
GPUS = 4
CPUS = 8  # that the node claims; it may have fewer
GRACE = 25  # seconds between the warning of a preemption and the end
DAEMONS = ("slurmd", "slurmctld", "munged")  # in the order in which they stop

SLURM_CONF = """
ClusterName=grok
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=100000,bf_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
KillWait=5
ReturnToService=2
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=8000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime={grace}
PartitionName=high Nodes={host} MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


class Cluster:
    """The cluster whose files lie in `root` (a short path: a socket's name has at most 107 characters)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def environment(self) -> dict[str, str]:
        """What commands need to find it."""
        return {"SLURM_CONF": str(self.root / "slurm.conf")}

    def up(self) -> None:
        """Install, configure and start; wait until the node is idle."""
        if any(shutil.which(name) is None for name in ("slurmctld", "slurmd", "sbatch", "munged")):
            _install()
        self._configure()
        munge = self.root / "munge"
        munge.mkdir(mode=0o700, exist_ok=True)
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        files = {"key-file": "munge/key", "socket": "munge.socket", "pid-file": "munged.pid", "log-file": "munged.log"}
        options = [f"--{name}={self.root / file}" for name, file in files.items()]
        self._start(["munged", "--force", f"--seed-file={munge / 'seed'}", *options])
        self._start(["slurmctld", "-c", "-f", str(self.root / "slurm.conf")])
        self._start(["slurmd", "-f", str(self.root / "slurm.conf")])
        end = time.monotonic() + 30
        while "idle" not in self.answer("sinfo", "--noheader", "--partition=debug", "--format=%T"):
            if time.monotonic() > end:
                raise RuntimeError(f"The node did not become idle; see {self.root}/*.log.")
            time.sleep(0.1)

    def down(self) -> None:
        """Stop the three daemons that `up` started."""
        self.answer("scancel", "--me")
        for name in DAEMONS:
            file = self.root / f"{name}.pid"
            if not file.exists():
                continue
            process = int(file.read_text())
            try:
                os.kill(process, signal.SIGTERM)
                for _ in range(100):
                    os.kill(process, 0)
                    time.sleep(0.1)
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
            file.unlink(missing_ok=True)

    def answer(self, *command: str) -> str:
        """What a SLURM command prints; nothing where it fails."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=30, check=False
        )
        return done.stdout.strip()

    def _start(self, command: list[str]) -> None:
        subprocess.run(command, env={**os.environ, **self.environment}, check=True, timeout=30)

    def _configure(self) -> None:
        for folder in ("state", "spool", "gpus"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        for i in range(GPUS):  # a character device, or SLURM does not set CUDA_VISIBLE_DEVICES
            gpu = self.root / f"gpus/nvidia{i}"
            if not gpu.is_symlink():
                gpu.symlink_to("/dev/null")
        host = socket.gethostname().partition(".")[0]
        values = {"host": host, "root": self.root, "cpus": CPUS, "gpus": GPUS, "grace": GRACE}
        text = SLURM_CONF.format(**values, port=_free_port(), node_port=_free_port())
        (self.root / "slurm.conf").write_text(text)
        (self.root / "gres.conf").write_text(f"NodeName={host} Name=gpu File={self.root}/gpus/nvidia[0-{GPUS - 1}]\n")


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError(f"SLURM is not installed. As root on Debian this installs it: {' '.join(PACKAGES)}.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", *words], stdout=subprocess.DEVNULL, check=True, env=environment)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    cluster = Cluster(Path(os.environ.get("GROK_SLURM", "/tmp/grok-slurm-test")))
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what == "up":
        cluster.up()
        print(cluster.answer("sinfo"))
    elif what == "down":
        cluster.down()
    elif what == "env":
        print(*(f"export {name}={value}" for name, value in cluster.environment.items()), sep="\n")
    else:
        sys.exit("usage: python tests/slurm_cluster.py up|env|down")
