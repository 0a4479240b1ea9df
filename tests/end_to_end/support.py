"""What the end-to-end tests share: running the program, reading what it wrote, pictures, hosts made of network
namespaces."""
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import unittest
import zlib
from pathlib import Path

RESIST = os.environ["RESIST"]  # path of the program; set by ctest
DEADLINE = 300  # seconds; generous, since a test never asserts a time

# Of a round, at which a worker can be made to fail (core/failpoint.h).
STEPS = ("training", "trained", "ready", "staged", "agreed", "committed", "evaluated", "reported")

# A job of a few seconds: 6 partitioned blocks, so that 2 to 8 workers overlap with the least depth of 4.
SMALL = {"--recipe": "paper", "--data": "synthetic:400,1,8,8,4", "--depths": "1,1,7,1", "--width": "4", "--batch-size": "8",
         "--local-iterations": "3", "--rounds": "4", "--seed": "5", "--threads": "1"}


def train_command(*extra):
    """`resist train` on the small job; options in `extra` win over the job's."""
    extra = [str(word) for word in extra]
    job = [word for option, value in SMALL.items() if option not in extra for word in (option, value)]
    return [RESIST, "train", *job, *extra]


def run(command, check=0, env=None, **options):
    """Runs to the end; with `check`, the exit code must be that one."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=DEADLINE,
                            env={**os.environ, **(env or {})}, **options)
    if check is not None and result.returncode != check:
        raise AssertionError(f"exit code {result.returncode}, expected {check}: {' '.join(map(str, command))}\n"
                             f"{result.stdout}\n{result.stderr}")
    return result


def start(command, env=None):
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, **(env or {})})


def children(process):
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def lines_of(path):
    """The objects of a file of lines; one that is just being written may be there in part, and is left out."""
    return [json.loads(line) for line in path.read_text().rpartition("\n")[0].splitlines()]


def metrics(run_dir):
    return lines_of(Path(run_dir) / "metrics.jsonl")


def rounds_of(run_dir):
    """How many rounds are in the metrics so far; 0 where there are none yet."""
    path = Path(run_dir) / "metrics.jsonl"
    return path.read_text().count("\n") if path.exists() else 0


def history(run_dir, event):
    """The lines of a run's history of one kind: start, generation or commit."""
    file = Path(run_dir) / "history.jsonl"
    return [line for line in lines_of(file) if line["event"] == event] if file.exists() else []


def generations(run_dir):
    return history(run_dir, "generation")


def checkpoint(run_dir, round_number=None):
    """Checksums of the parts of the newest checkpoint (or of a round's): equal exactly if all tensors are."""
    folders = sorted((Path(run_dir) / "checkpoints").glob("round-*"))
    if round_number is not None:
        folders = [f for f in folders if int(f.name.split("-")[1]) == round_number]
    manifest = json.loads((folders[-1] / "manifest.json").read_text())
    parts = {name: part["xxh3_128"] for name, part in manifest["parts"].items()}
    return manifest["round"], parts


def damage(run_dir, round_number):
    """Flips one bit of a checkpoint's blocks."""
    path = Path(run_dir) / "checkpoints" / f"round-{round_number:06}" / "blocks.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def evaluation(run_dir, *options):
    """What `resist evaluate` says."""
    return json.loads(run([RESIST, "evaluate", run_dir, "--format", "json", *options]).stdout)


def safetensors(path):
    """A safetensors file's tensors by name, as bytes."""
    data = Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    places = {name: [start + offset for offset in tensor["data_offsets"]] for name, tensor in header.items()}
    return {name: data[first:last] for name, (first, last) in places.items()}


def write_png(path, seed, side=8):
    """A grey picture like no other seed's. Not every python3 has Pillow."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    pixels = random.Random(seed)
    rows = b"".join(b"\0" + pixels.randbytes(side) for _ in range(side))  # each: no filter, then the pixels
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) +
                     chunk(b"IEND", b""))


def write_class_folders(folder, counts):
    """Class folders 0, 1, ... with so many pictures each; none where it is 0."""
    for label, count in enumerate(counts):
        for number in range(count):
            write_png(Path(folder) / str(label) / f"{number}.png", f"{Path(folder).name} {label} {number}")
    return folder


TOKEN = "no-job-has-this-token-but-those-of-the-tests"


def torchrun_environment(rank, workers, address, port, local_workers, token=TOKEN):
    return {"RANK": str(rank), "WORLD_SIZE": str(workers), "LOCAL_WORLD_SIZE": str(local_workers),
            "MASTER_ADDR": address, "MASTER_PORT": str(port), "RESIST_TOKEN": token}


def bindable(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port():
    """A port that is free, and the next one too, which a job under torchrun takes. Both lie below those from which the
    system takes the ports of outgoing connections: one of those can be gone by the time the job listens."""
    outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(outgoing // 2, outgoing - 1)
        if bindable(port) and bindable(port + 1):
            return port


class TestCase(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="resist-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def wait_for(self, condition, *processes):
        """Until it is true; none of the processes may end before."""
        end = time.monotonic() + DEADLINE
        while not condition():
            self.assertLess(time.monotonic(), end)
            for process in processes:
                self.assertIsNone(process.poll(), process.stderr.read() if process.poll() is not None else "")
            time.sleep(0.01)

    def started(self, run_dir, *extra):
        """A long run that has finished a round."""
        return self.past_round(0, run_dir, train_command("--rounds", 100000, "--run-dir", run_dir, *extra))

    def past_round(self, round_number, run_dir, command):
        """The command's process, once the run has finished a later round than that."""
        process = start(command)
        self.addCleanup(process.kill)
        self.wait_for(lambda: rounds_of(run_dir) > round_number, process)
        return process

    def one_line(self, result):
        """The program's own message; it must be one line."""
        lines = [line for line in result.stderr.splitlines() if line]
        self.assertEqual(len(lines), 1, result.stderr)
        return lines[0]


class Hosts:
    """Network namespaces with one link each to a common switch: host i is 10.78.0.(i+1). `rate`, as tc writes it
    (100mbit), limits each link both ways."""

    def __init__(self, count, rate=None):
        self.name = f"resist{os.getpid()}"
        self.count = count
        self.rate = rate
        self.made = []

    @staticmethod
    def missing():
        """Why there can be none here, or None."""
        if os.geteuid() != 0:
            return "network namespaces need root"
        if shutil.which("ip") is None:
            return "network namespaces need iproute2"
        name = f"resist-probe{os.getpid()}"
        probe = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
        return None if probe.returncode == 0 else f"no network namespaces here: {probe.stderr.strip()}"

    def __enter__(self):
        try:
            self._add(f"{self.name}-switch")
            self._in(f"{self.name}-switch", "ip link add switch type bridge")
            self._in(f"{self.name}-switch", "ip link set switch up")
            for i in range(self.count):
                host = self._add(f"{self.name}-{i}")
                run(["ip", "link", "add", "veth", "netns", host, "type", "veth", "peer", "name", f"port{i}", "netns",
                     f"{self.name}-switch"])
                self._in(f"{self.name}-switch", f"ip link set port{i} master switch up")
                self._in(host, f"ip addr add {self.address(i)}/24 dev veth")
                self._in(host, "ip link set veth up")
                self._in(host, "ip link set lo up")
                if self.rate:
                    self.slow(i, self.rate)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for namespace in self.made:
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True)

    def _add(self, namespace):
        run(["ip", "netns", "add", namespace])
        self.made.append(namespace)
        return namespace

    def _in(self, namespace, command):
        run(["ip", "netns", "exec", namespace, *command.split()])

    def slow(self, host, rate):
        """Limits the host's link both ways."""
        shape = f"root tbf rate {rate} burst 256kb latency 100ms"
        self._in(f"{self.name}-{host}", f"tc qdisc replace dev veth {shape}")
        self._in(f"{self.name}-switch", f"tc qdisc replace dev port{host} {shape}")

    def cut(self, host):
        """Takes the host's link down, until heal()."""
        self._in(f"{self.name}-switch", f"ip link set port{host} down")

    def heal(self, host):
        self._in(f"{self.name}-switch", f"ip link set port{host} up")

    def part(self, one, other):
        """Makes two hosts unreachable to each other, and to nobody else, without a word to either."""
        for host, peer in ((one, other), (other, one)):
            self._in(f"{self.name}-{host}",
                     f"ip neigh replace {self.address(peer)} lladdr 02:00:00:00:00:01 dev veth nud permanent")

    @staticmethod
    def address(host):
        return f"10.78.0.{host + 1}"

    def on(self, host, command):
        return ["ip", "netns", "exec", f"{self.name}-{host}", *command]

    def bytes_sent(self, host):
        """What streams carried: without the headers of Ethernet, IP and TCP (with timestamps), and without what was sent
        once more. How the kernel cuts a stream, and what a busy machine drops of it, is no business of ours."""
        headers, segment = 14 + 20 + 32, 1448
        counters = [f"/sys/class/net/veth/statistics/tx_{what}" for what in ("bytes", "packets")]
        tx_bytes, tx_packets, *tcp = run(self.on(host, ["cat", *counters, "/proc/net/snmp"])).stdout.splitlines()
        names, values = (line.split() for line in tcp if line.startswith("Tcp:"))
        again = int(dict(zip(names, values))["RetransSegs"])
        return int(tx_bytes) - headers * int(tx_packets) - segment * again
