# SPDX-License-Identifier: GPL-2.0
"""The pci_stage trace, and the contract every batch has to keep."""

import collections
import re

STAGES = ("scan", "claim", "assign", "configure", "final", "add", "bind")

_LINE = re.compile(r"\s(?P<time>\d+\.\d+): (?P<event>pci_\w+): (?P<fields>.*)$")
_FIELD = re.compile(r"(\w+)=(\S+)")

Stage = collections.namedtuple("Stage", "index time dev batch stage result")
BatchEvent = collections.namedtuple("BatchEvent", "index time batch kind bus event devices")


class Trace:
    """Parsed pci_stage and pci_batch events of one trace text."""

    def __init__(self, text):
        self.stages = []
        self.batch_events = []
        self.lost = "LOST" in text
        for index, line in enumerate(text.splitlines()):
            m = _LINE.search(line)
            if not m:
                continue
            f = dict(_FIELD.findall(m["fields"]))
            if m["event"] == "pci_stage" and "stage" in f:
                self.stages.append(Stage(index, float(m["time"]), f["dev"], int(f["batch"]),
                                         f["stage"], int(f["result"])))
            elif m["event"] == "pci_batch" and "event" in f:
                self.batch_events.append(BatchEvent(
                    index, float(m["time"]), int(f["batch"]), f.get("kind", "?"),
                    f.get("bus", "?"), f["event"], int(f.get("devices", 0))))

    def __bool__(self):
        return bool(self.stages)

    def batches(self):
        """Batch number -> its stage events in order."""
        out = {}
        for s in self.stages:
            out.setdefault(s.batch, []).append(s)
        return out

    def kind(self, batch):
        for b in self.batch_events:
            if b.batch == batch:
                return b.kind
        return "?"

    def sequence(self, dev, batch=None):
        """Stage names a device went through, last batch unless told."""
        mine = [s for s in self.stages if s.dev == dev and s.stage in STAGES]
        if not mine:
            return ()
        batch = mine[-1].batch if batch is None else batch
        return tuple(s.stage for s in mine if s.batch == batch)

    def devices(self, batch=None):
        return sorted({s.dev for s in self.stages if batch is None or s.batch == batch})


def contract(trace, expected=(), batches=None):
    """What is wrong with the batches of a trace; an empty list is good.

    Every device of a batch passes all stages once, in order, with result 0,
    and no device of a batch starts a stage before all of them have ended the
    one before it.
    """
    wrong = []
    if not trace:
        return ["no pci_stage events in the trace"]
    if trace.lost:
        wrong.append("the trace has lost events")
    for batch, events in trace.batches().items():
        if batches is not None and batch not in batches:
            continue
        per_dev = collections.OrderedDict()
        for s in events:
            if s.stage in STAGES:
                per_dev.setdefault(s.dev, []).append(s)
        for dev, mine in per_dev.items():
            names = tuple(s.stage for s in mine)
            if names != STAGES:
                wrong.append(f"batch {batch}: {dev} went through {', '.join(names)}")
            bad = [f"{s.stage}={s.result}" for s in mine if s.result]
            if bad:
                wrong.append(f"batch {batch}: {dev} failed {', '.join(bad)}")
        for before, after in zip(STAGES, STAGES[1:]):
            last = max((s for s in events if s.stage == before), default=None,
                       key=lambda s: s.index)
            first = min((s for s in events if s.stage == after), default=None,
                        key=lambda s: s.index)
            if last and first and last.index > first.index:
                wrong.append(f"batch {batch}: {first.dev} started {after} before "
                             f"{last.dev} ended {before}")
    seen = set(trace.devices())
    for dev in expected:
        if dev not in seen:
            wrong.append(f"{dev} is not in the trace")
    return wrong


def stage_times(trace, batch):
    """Stage -> (start, end) in seconds, devices; for the time line."""
    events = [s for s in trace.batches().get(batch, []) if s.stage in STAGES]
    out = {}
    for name in STAGES:
        times = [s.time for s in events if s.stage == name]
        if times:
            out[name] = (min(times), max(times), len(times))
    return out
