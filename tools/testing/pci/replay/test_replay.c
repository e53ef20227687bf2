// SPDX-License-Identifier: GPL-2.0
/* Replaying logs: small machines that nobody has, and logs that are broken */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dump.h"
#include "replay.h"

#define LENGTH(array)	(sizeof(array) / sizeof((array)[0]))

static unsigned int passed, failed;

/* A host bridge with one window of each kind, and one above 4 GiB */
#define ROOT \
	"pci_bus 0000:00: root bus resource [io  0x1000-0xffff window]\n" \
	"pci_bus 0000:00: root bus resource [mem 0xe0000000-0xefffffff window]\n" \
	"pci_bus 0000:00: root bus resource [mem 0x1000000000-0x1fffffffff window]\n"

#define ENDPOINT(at) "pci " at ": [1234:0001] type 00 class 0x020000\n"
#define PORT(at) "pci " at ": [1234:0002] type 01 class 0x060400\n"

/* A port with all windows, and a device behind it */
#define SMALL \
	ROOT PORT("0000:00:1c.0") \
	"pci 0000:00:1c.0: PCI bridge to [bus 01]\n" \
	"pci 0000:00:1c.0:   bridge window [io  0x2000-0x2fff]\n" \
	"pci 0000:00:1c.0:   bridge window [mem 0xe0000000-0xe00fffff]\n" \
	"pci 0000:00:1c.0:   bridge window [mem 0x1000000000-0x10000fffff 64bit pref]\n" \
	BEHIND
#define BEHIND \
	ENDPOINT("0000:01:00.0") \
	"pci 0000:01:00.0: reg 0x10: [mem 0xe0000000-0xe0003fff]\n" \
	"pci 0000:01:00.0: reg 0x14: [io  0x2000-0x201f]\n" \
	"pci 0000:01:00.0: reg 0x18: [mem 0x1000000000-0x100000ffff 64bit pref]\n"

/* Two ports with a window for memory, and a line about a bus as called then */
#define PORTS \
	ROOT PORT("0000:00:1c.0") PORT("0000:00:1d.0") \
	"pci 0000:00:1c.0: PCI bridge to [bus 01]\n" \
	"pci 0000:00:1c.0:   bridge window [mem 0xe0000000-0xe00fffff]\n" \
	"pci 0000:00:1d.0: PCI bridge to [bus 02]\n" \
	"pci 0000:00:1d.0:   bridge window [mem 0xe0100000-0xe01fffff]\n"
#define SLOT(what) "pcieport 0000:00:1c.0: pciehp: Slot(1-2): " what "\n"
#define ASSIGNED(at, place) "pci " at ": BAR 0 [mem " place "]: assigned\n"
#define RELEASED(called, bus) "pci_bus 0000:" called ": busn_res: [bus " bus "] is released\n"

/* A dump of a host bridge, and of a BAR at one of two places */
#define DUMP_ROOT \
	"plan 0000:00 mem items 2 missing 0\n" \
	"item 0 parent 0 alt - window fixed hold 4 size 0 align 1 avoid 0 reserve 0 limit ffff prefer 0 old 0-ffff new 0-ffff in 0 name host bridge\n"
#define SIXTY "sixty characters, as long as they are, leave room for three."
#define DUMP_BAR(hold, old, rest) \
	"item 1 parent 0 alt - bar hold " hold " size 10 align 10 avoid 0 reserve 0 " \
	"limit ffff prefer 0 old " old " new 0-f" rest "\n"

/* The kernel began with what is in @how; the windows of the host bridge are @host */
#define DUMP_HOW(how, host) \
	"plan 0000:00 mem items 4 missing 2" how "\n" host \
	"item 0 parent 0 alt - window fixed hold 4 size 0 align 1" \
	DUMP_END "e0000000-e0ffffff new e0000000-e0ffffff in 0 name host bridge\n" \
	"item 1 parent 0 alt - bar hold 0 size 800000 align 800000" \
	DUMP_END "none new none in 0 name 0000:00:01.0 BAR 0\n" \
	"item 2 parent 0 alt - bar hold 0 size 800000 align 800000" \
	DUMP_END "none new none in 0 name 0000:00:02.0 BAR 0\n" \
	"item 3 parent 0 alt - bar hold 0 size 1000000 align 1000000" \
	DUMP_END "none new e0000000-e0ffffff in 0 name 0000:00:03.0 BAR 0\n"
#define HOW_BOOT " tries 1 first 1 last 3 bridge 0 boot keep-bars keep-windows relax"

/* Two ports with a device each, as found at boot */
#define DUMP_BOOT(end) \
	"plan 0000:00 mem items 5 missing 0 isa" HOW_BOOT "\n" \
	"host e0000000-e2ffffff\n" \
	"item 0 parent 0 alt - window fixed hold 4 size 0 align 1" \
	DUMP_END "e0000000-e2ffffff new e0000000-e2ffffff in 0 name host bridge\n" \
	"item 1 parent 0 alt - window fixed kept laid-out hold 4 size 0 align 100000" \
	DUMP_END "e0000000-e00fffff new e0000000-" end " in 0 name 0000:00:1c.0 memory window\n" \
	"item 2 parent 1 alt - bar hold 4 size 4000 align 4000" \
	DUMP_END "e0000000-e0003fff new e0000000-e0003fff in 1 name 0000:01:00.0 BAR 0\n" \
	"item 3 parent 0 alt - window fixed kept hold 4 size 0 align 100000" \
	" avoid 0 reserve 0 limit ffffffff prefer 0 least 100000 old " \
	"e2000000-e2ffffff new e2000000-e2ffffff in 0 name 0000:00:1d.0 memory window\n" \
	"item 4 parent 3 alt - bar hold 4 size 4000 align 4000" \
	DUMP_END "e2000000-e2003fff new e2000000-e2003fff in 3 name 0000:02:00.0 BAR 0\n"

/* Two windows of a host bridge that touch, and a BAR that has room in one of them */
#define DUMP_TOUCHING \
	"plan 0000:00 mem items 3 missing 0\n" \
	"item 0 parent 0 alt - window fixed hold 4 size 0 align 1" \
	DUMP_END "100000-5fffff new 100000-5fffff in 0 name host bridge\n" \
	"item 1 parent 0 alt - bar hold 4 size 0 align 1" \
	DUMP_END "300000-2fffff new 300000-2fffff in 0 name reserved\n" \
	"item 2 parent 0 alt - bar hold 0 size 200000 align 200000" \
	DUMP_END "none new 400000-5fffff in 0 name 0000:00:01.0 BAR 0\n"

/* A port that got a window and a device that got an address */
#define DUMP_PORT(place) \
	"plan 0000:00 mem items 4 missing 0\n" \
	"item 0 parent 0 alt - window fixed hold 4 size 0 align 1" \
	DUMP_END "e0000000-e0ffffff new e0000000-e0ffffff in 0 name host bridge\n" \
	"item 1 parent 0 alt - window hold 0 size 0 align 100000" \
	DUMP_END "none new e0100000-e01fffff in 0 name 0000:00:1c.0 bridge window\n" \
	"item 2 parent 0 alt 1 window pref hold 0 size 0 align 100000" \
	" avoid 0 reserve 0 limit 3fffffffffffffff prefer 0 old " \
	"none new e0200000-e02fffff in 0 name 0000:00:1c.0 bridge window\n" \
	"item 3 parent 2 alt - bar pref hold 0 size 4000 align 4000" \
	DUMP_END "none new " place " in 1 name 0000:01:00.0 BAR 0\n"

/* What one device gets in order not to have a part of what it needs only */
#define DUMP_WHOLE \
	"plan 0000:00 mem items 4 missing 2\n" \
	"item 0 parent 0 alt - window fixed hold 4 size 0 align 1" \
	DUMP_END "e0000000-e07fffff new e0000000-e07fffff in 0 name host bridge\n" \
	"item 1 parent 0 alt - bar hold 0 size 800000 align 800000" \
	DUMP_END "none new none in 0 name 0000:00:01.0 BAR 0\n" \
	"item 2 parent 0 alt - bar hold 0 size 1000000 align 1000000" \
	DUMP_END "none new none in 0 name 0000:00:01.0 BAR 1\n" \
	"item 3 parent 0 alt - bar hold 0 size 800000 align 800000" \
	DUMP_END "none new e0000000-e07fffff in 0 name 0000:00:02.0 BAR 0\n"

/* A port whose window stays, above 4 GiB */
#define DUMP_HIGH \
	"plan 0000:00 mem items 2 missing 0\n" \
	"item 0 parent 0 alt - window fixed hold 4 size 0 align 1" \
	DUMP_END "1000000000-10ffffffff new 1000000000-10ffffffff in 0 name host bridge\n" \
	"item 1 parent 0 alt - window fixed hold 4 size 0 align 1" \
	" avoid 0 reserve 0 limit 3fffffffffffffff prefer 0 old " \
	"1000000000-10000fffff new 1000000000-10000fffff " \
	"in 0 name 0000:00:1c.0 bridge window\n"

/* Two ports; there is no room behind the first one unless the other one moves */
#define DRIVER(name) "\tKernel driver in use: " name "\n"
#define NEIGHBOUR_CLASS(class, bar, rest) \
	"00:1c.0 PCI bridge: Example\n" \
	"\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n" \
	"\tMemory behind bridge: e0000000-e00fffff [size=1M]\n" \
	"00:1d.0 PCI bridge: Example\n" \
	"\tBus: primary=00, secondary=02, subordinate=02, sec-latency=0\n" \
	"\tMemory behind bridge: e0100000-e01fffff [size=1M]\n" \
	"01:00.0 Ethernet controller: Example\n" \
	"\tRegion 0: Memory at e0000000 (32-bit, non-prefetchable) [size=16K]\n" \
	DRIVER("r8169") \
	"02:00.0 " class ": Example\n" \
	"\tRegion 0: Memory at e0100000 (32-bit, non-prefetchable) [size=" bar "]\n" rest
#define NEIGHBOUR(rest) NEIGHBOUR_CLASS("Non-Volatile memory controller", "16K", rest)
#define NEIGHBOUR_ADD "0000:00:1c.0:mem=1M"
#define NEIGHBOUR_ROOT "mem:e0000000-e0ffffff"

/* The same as the kernel says it */
#define DMESG_NEIGHBOUR \
	"pci_bus 0000:00: root bus resource [mem 0xe0000000-0xe0ffffff window]\n" \
	PORT("0000:00:1c.0") PORT("0000:00:1d.0") \
	"pci 0000:00:1c.0: PCI bridge to [bus 01]\n" \
	"pci 0000:00:1c.0:   bridge window [mem 0xe0000000-0xe00fffff]\n" \
	"pci 0000:00:1d.0: PCI bridge to [bus 02]\n" \
	"pci 0000:00:1d.0:   bridge window [mem 0xe0100000-0xe01fffff]\n" \
	ENDPOINT("0000:01:00.0") ENDPOINT("0000:02:00.0") \
	"pci 0000:01:00.0: BAR 0 [mem 0xe0000000-0xe0003fff]\n" \
	"pci 0000:02:00.0: BAR 0 [mem 0xe0100000-0xe0103fff]\n" \
	"r8169 0000:01:00.0: hello\n"

/* Windows of the host bridge whose ends are in something larger, on x86 */
#define RESERVED(from) \
	"BIOS-e820: [mem 0xe0" from "00000-0x100ffffff] reserved\n" \
	"pci_bus 0000:00: root bus resource [mem 0xe0d00000-0xe0ffffff window]\n" \
	PORT("0000:00:1c.0") \
	"pci 0000:00:1c.0: PCI bridge to [bus 01]\n" \
	"pci 0000:00:1c.0:   bridge window [mem 0xe0d00000-0xe0dfffff]\n" \
	ENDPOINT("0000:01:00.0") \
	"pci 0000:01:00.0: BAR 0 [mem 0xe0d00000-0xe0d03fff]\n"

#define BIOS_AREA \
	"BIOS-e820: [mem 0xfff00000-0x100ffffff] reserved\n" \
	"pci_bus 0000:00: root bus resource [mem 0xffd00000-0xffffffff window]\n" \
	PORT("0000:00:1c.0") \
	"pci 0000:00:1c.0: PCI bridge to [bus 01]\n" \
	"pci 0000:00:1c.0:   bridge window [mem 0xffd00000-0xffdfffff]\n" \
	ENDPOINT("0000:01:00.0") \
	"pci 0000:01:00.0: BAR 0 [mem 0xffd00000-0xffd03fff]\n"

/* The one that is too large for the others to have room as well was there first */
#define OVERFULL \
	"pci_bus 0000:00: root bus resource [mem 0xe0000000-0xe0ffffff window]\n" \
	ENDPOINT("0000:00:01.0") ENDPOINT("0000:00:02.0") ENDPOINT("0000:00:03.0") \
	"pci 0000:00:02.0: BAR 0 [mem 0x00000000-0x007fffff]\n" \
	"pci 0000:00:03.0: BAR 0 [mem 0x00000000-0x007fffff]\n" \
	"pci 0000:00:01.0: BAR 0 [mem 0xe0000000-0xe0ffffff]: assigned\n" \
	"pci 0000:00:02.0: BAR 0 [mem size 0x00800000]: can't assign; no space\n" \
	"pci 0000:00:03.0: BAR 0 [mem size 0x00800000]: can't assign; no space\n"

/* A port that has all addresses there are, most of them free */
#define ROOMY \
	"pci_bus 0000:00: root bus resource [mem 0xe0000000-0xe1ffffff window]\n" \
	PORT("0000:00:1c.0") "pci 0000:00:1c.0: PCI bridge to [bus 01]\n" \
	"pci 0000:00:1c.0:   bridge window [mem 0xe0000000-0xe1ffffff]\n" \
	ENDPOINT("0000:01:00.0") \
	"pci 0000:01:00.0: BAR 0 [mem 0xe0000000-0xe0003fff]\n"

/* And as its debugfs does; what lacks an address says why it does not move, too */
#define DUMP_END " avoid 0 reserve 0 limit ffffffff prefer 0 old "
#define DUMP_NEIGHBOUR(held, why) \
	"plan 0000:00 mem items 6 missing 1\n" \
	"item 0 parent 0 alt - window fixed hold 4 size 0 align 1" \
	DUMP_END "e0000000-e0ffffff new e0000000-e0ffffff in 0 name host bridge\n" \
	"item 1 parent 0 alt - window hold 4 size 0 align 100000" \
	DUMP_END "e0000000-e00fffff new e0000000-e00fffff " \
	"in 0 name 0000:00:1c.0 memory window\n" \
	"item 2 parent 1 alt - bar hold 4 size 4000 align 4000" \
	DUMP_END "e0000000-e0003fff new e0000000-e0003fff " \
	"why \"it recovers from an error\" in 1 name 0000:01:00.0 BAR 0\n" \
	"item 3 parent 1 alt - bar hold 4 size 100000 align 100000" \
	DUMP_END "none new none " \
	"why \"its driver takes no part\" in 1 name 0000:01:01.0 BAR 0\n" \
	"item 4 parent 0 alt - window hold 4 size 0 align 100000" \
	DUMP_END "e0100000-e01fffff new e0100000-e01fffff " \
	"in 0 name 0000:00:1d.0 memory window\n" \
	"item 5 parent 4 alt - bar hold " held " size 4000 align 4000" \
	DUMP_END "e0100000-e0103fff new e0100000-e0103fff" why \
	" in 4 name 0000:02:00.0 BAR 0\n"

/* A line in the middle of which the log ends, and so on: what is said then */
struct broken {
	const char	*name;
	const char	*text;
	const char	*message;	/* part of it */
};

static const struct broken broken[] = {
	{ "an empty log", "", "empty" },
	{ "a log about something else", "hello\nworld\n", "neither" },
	{ "a BAR that is cut off", ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: reg 0x10: [mem 0xe00000", "log:5: a BAR" },
	{ "a BAR with something else in it", ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0xe0000000-0xe0\001\377ff]\n", "log:5: a BAR" },
	{ "a BAR that ends before it starts", ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0xe0001000-0xe0000fff]\n", "log:5: a BAR that ends" },
	{ "a BAR as large as the world", ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0x0-0xffffffffffffffff]\n",
	  "log:5: a BAR of no possible size" },
	{ "a number with too many digits", ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0x11112222333344445-0x11112222333344446]\n",
	  "log:5: a BAR" },
	{ "a window that is cut off", ROOT PORT("0000:00:01.0")
	  "pci 0000:00:01.0: PCI bridge to [bus 01]\n"
	  "pci 0000:00:01.0:   bridge window [mem 0xe0", "log:6: a bridge window" },
	{ "buses that are cut off", ROOT PORT("0000:00:01.0")
	  "pci 0000:00:01.0: PCI bridge to [bus 0", "log:5: a range of buses" },
	{ "buses that end before they start", ROOT PORT("0000:00:01.0")
	  "pci 0000:00:01.0: PCI bridge to [bus 05-04]\n", "log:5: a range of buses" },
	{ "a type that is cut off", ROOT "pci 0000:00:01.0: [1234:5678] type 0",
	  "log:4: a type" },
	{ "a root window that is cut off",
	  "pci_bus 0000:00: root bus resource [mem 0xe0000000-\n" ENDPOINT("0000:00:01.0"),
	  "log:1: a window of a root bus" },
	{ "a root window that ends before it starts",
	  "pci_bus 0000:00: root bus resource [mem 0x2000-0x1000]\n", "ends before it starts" },
	{ "a root window that wraps on the bus",
	  "pci_bus 0000:00: root bus resource [mem 0x1000-0x2fff] (bus address [0xffffffffffffff00-0x0])\n",
	  "log:1: an address on a bus" },
	{ "VFs without a number", ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: VF(n) BAR0 space: [mem 0xe0000000-0xe000ffff] (contains BAR0 f\n",
	  "log:5: a number of VFs" },
	{ "a NUL byte is told apart from the end", NULL, "log:1: not a text file" },
	{ "no type of a device", ROOT "pci 0000:00:01.0: BAR 0 [mem 0xe0000000-0xe0000fff]\n",
	  "log:4: not complete enough: 0000:00:01.0 has BARs" },
	{ "no type of a device that is there again", SMALL SLOT("Card not present")
	  "pci 0000:01:00.0: BAR 0 [mem 0xe0000000-0xe0003fff]: assigned\n",
	  "0000:01:00.0 has BARs, but the line with its type is missing" },
	{ "nothing leads to a bus", ROOT ENDPOINT("0000:05:00.0")
	  "pci 0000:05:00.0: BAR 0 [mem 0xe0000000-0xe0000fff]\n",
	  "nothing leads to the bus of 0000:05:00.0" },
	{ "no root bus at all", ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0xe0000000-0xe0000fff]\n", "nothing leads to the bus" },
	{ "no I/O window of the host bridge",
	  "pci_bus 0000:00: root bus resource [mem 0xe0000000-0xefffffff]\n"
	  ENDPOINT("0000:00:01.0") "pci 0000:00:01.0: reg 0x10: [io  0x1000-0x10ff]\n",
	  "log:3: not complete enough: no I/O window of root bus 0000:00" },
	{ "a BAR in no window of the host bridge", ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: reg 0x10: [mem 0xf0000000-0xf0000fff]\n",
	  "is in no window of root bus 0000:00" },
	{ "devices that are all removed", SMALL RELEASED("01", "01") RELEASED("00", "00"),
	  "log: all PCI devices in it are gone at its end" },
	{ "devices without BARs", ROOT ENDPOINT("0000:00:01.0"), "no BAR is shown" },
	{ "two bridges to a bus", ROOT PORT("0000:00:01.0") PORT("0000:00:02.0")
	  "pci 0000:00:01.0: PCI bridge to [bus 01]\n"
	  "pci 0000:00:02.0: PCI bridge to [bus 01-02]\n", "both lead to bus 01" },
	{ "buses that become others, cut off", ROOT PORT("0000:00:01.0")
	  "pci 0000:00:01.0: [bus 01-01] becomes [bus 0", "log:5: a range of buses" },
	{ "buses that become none", ROOT PORT("0000:00:01.0")
	  "pci 0000:00:01.0: [bus 01-01] becomes [bus 05-04]\n", "log:5: a range of buses" },
	{ "a bus that is released, cut off", ROOT PORT("0000:00:01.0")
	  "pci_bus 0000:01: busn_res: [bus 0is released\n", "log:5: a range of buses" },
	{ "a bridge to its own bus", ROOT PORT("0000:05:00.0")
	  "pci 0000:05:00.0: PCI bridge to [bus 05]\n", "lead to each other" },
	{ "bridges that lead to each other", ROOT PORT("0000:05:00.0") PORT("0000:06:00.0")
	  "pci 0000:05:00.0: PCI bridge to [bus 06]\n"
	  "pci 0000:06:00.0: PCI bridge to [bus 05]\n", "lead to each other" },
	{ "lspci with a region that is cut off",
	  "00:01.0 Ethernet controller: Example\n"
	  "\tRegion 0: Memory at e0000000 (32-bit, non-prefetchable) [si",
	  "log:2: a BAR" },
	{ "lspci with a function twice", "00:01.0 Example\n00:02.0 Example\n00:01.0 Example\n",
	  "log:3: 0000:00:01.0 is listed for the second time, first at line 1" },
	{ "lspci with a bridge to nowhere", "00:01.0 PCI bridge: Example\n\tBus: primary=00, sec",
	  "log:2: a range of buses" },
	{ "a hexadecimal dump that is cut off", "00:01.0 Example\n00: 34 12 01 00 07",
	  "log:2: a line of a hexadecimal dump" },
	{ "a hexadecimal dump has no sizes",
	  "00:01.0 Example\n"
	  "00: 34 12 01 00 07 00 00 00 00 00 00 02 00 00 00 00\n"
	  "10: 00 00 00 e0 00 00 00 00 00 00 00 00 00 00 00 00\n"
	  "20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
	  "30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n",
	  "the size of 0000:00:01.0 BAR 0 is not shown" },
	{ "a plan that is cut off", "plan 0000:00 mem items 2\n"
	  "item 0 parent 0 alt - window fixed hold 0 size 0 align 1 avoid 0 reserve 0 limit ffff prefer 0 old 0-ffff new 0-ffff in 0 name root\n",
	  "log:2: a plan of 2 items has 1 only" },
	{ "an item that is cut off", "plan 0000:00 mem items 1\n"
	  "item 0 parent 0 alt - window fixed hold 0 size 0 ali\n",
	  "log:2: an item that can't be read" },
	{ "an item before its window", "plan 0000:00 mem items 2\n"
	  "item 0 parent 0 alt - window fixed hold 0 size 0 align 1 avoid 0 reserve 0 limit ffff prefer 0 old 0-ffff new none in 0 name root\n"
	  "item 1 parent 1 alt - bar hold 0 size 10 align 10 avoid 0 reserve 0 limit ffff prefer 0 old none new none in 0 name x\n",
	  "log:3: an item that is before the window" },
	{ "an alignment of 0", "plan 0000:00 mem items 1\n"
	  "item 0 parent 0 alt - window fixed hold 0 size 0 align 0 avoid 0 reserve 0 limit ffff prefer 0 old 0-ffff new none in 0 name root\n",
	  "log:2: an alignment" },
	{ "a reason without an end", DUMP_ROOT
	  DUMP_BAR("4", "0-f", " why \"its driver takes no part in 0 name x"),
	  "log:3: a reason that is empty, too long or cut off" },
	{ "a reason that is empty", DUMP_ROOT DUMP_BAR("4", "0-f", " why \"\" in 0 name x"),
	  "log:3: a reason that is empty, too long or cut off" },
	{ "a reason that is too long", DUMP_ROOT
	  DUMP_BAR("4", "0-f", " why \"" SIXTY "four\" in 0 name x"),
	  "log:3: a reason that is empty, too long or cut off" },
	{ "a reason that is no text", DUMP_ROOT
	  DUMP_BAR("4", "0-f", " why \"its driver \033[1m\" in 0 name x"),
	  "log:3: a reason that is no text" },
	{ "a reason without quotes", DUMP_ROOT
	  DUMP_BAR("4", "0-f", " why its driver takes no part in 0 name x"),
	  "log:3: an item that can't be read" },
	{ "a reason for what can move", DUMP_ROOT
	  DUMP_BAR("3", "0-f", " why \"its driver takes no part\" in 0 name x"),
	  "log:3: a reason for what is not pinned" },
	{ "a reason and no name", DUMP_ROOT
	  DUMP_BAR("4", "0-f", " why \"its driver takes no part\" in 0"),
	  "log:3: an item that can't be read" },
	{ "a hold that there is not", DUMP_ROOT DUMP_BAR("5", "0-f", " in 0 name x"),
	  "log:3: an item that can't be read" },
	{ "a BAR that ends before it starts, in a plan", DUMP_ROOT
	  DUMP_BAR("4", "8000-7fff", " in 0 name x"), "log:3: an item that can't be read" },
	{ "a host bridge that another window would do for", "plan 0000:00 mem items 1\n"
	  "item 0 parent 0 alt 0 window fixed hold 0 size 0 align 1 avoid 0 reserve 0 limit ffff prefer 0 old 0-ffff new none in 0 name root\n",
	  "log:2: a host bridge that is no fixed window" },
	{ "a plan with half of how it began", DUMP_HOW(" tries 1 first 1", ""),
	  "log:1: a plan that can't be read" },
	{ "a plan for more items than there are",
	  DUMP_HOW(" tries 1 first 1 last 4 bridge 0", ""),
	  "log:5: a plan for items that are not there" },
	{ "a plan for no items", DUMP_HOW(" tries 1 first 0 last 3 bridge 0", ""),
	  "log:5: a plan for items that are not there" },
	{ "a plan for a bridge that is a BAR", DUMP_HOW(" tries 2 first 1 last 3 bridge 2", ""),
	  "log:5: a plan for a bridge that is none" },
	{ "a window of a host bridge that is cut off", DUMP_HOW("", "host e0000000-\n"),
	  "log:2: a window of a host bridge that can't be read" },
	{ "a window that its host bridge does not have",
	  DUMP_HOW("", "host e0000000-e1ffffff\n"),
	  "log:6: a window that the host bridge does not have" },
	{ "a plan without items", "plan 0000:00 mem missing 0\n", "log:1: a plan without items" },
	{ "a plan of nothing", "plan 0000:00 mem items 0\n", "log:1: a plan without" },
};

/* What a machine comes to */
struct sample {
	const char	*name;
	const char	*text;
	const char	*hotadd;
	const char	*root;
	bool		still, named;
	unsigned int	had, lost, lacked, gained, filled, added, fitted, moved, live;
};

static const struct sample samples[] = {
	{ "a port and a device", SMALL, .had = 3 },
	{ "with times and threads in front",
	  "[    0.100000][    T1] pci_bus 0000:00: root bus resource [mem 0xe0000000-0xefffffff window]\n"
	  "Jan  1 00:00:00 host kernel: [    0.2] pci 0000:00:01.0: [1234:0001] type 00 class 0x020000\n"
	  "[  +0.000003] pci 0000:00:01.0: BAR 0 [mem 0xe0000000-0xe0000fff]\n", .had = 1 },
	{ "registers without 0x, carriage returns, no newline at the end",
	  "pci_bus 0000:00: root bus resource [io  0x1000-0xffff]\r\n"
	  "pci 0000:00:01.0: [1234:0001] type 00 class 0x000200\r\n"
	  "pci 0000:00:01.0: reg 10: [io  0x1000-0x10ff]\r\n"
	  "pci 0000:00:01.0: reg 1c: [io  0x2000-0x20ff]", .had = 2 },
	{ "what the kernel has assigned, in both ways to say it",
	  ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0x00000000-0x00000fff]\n"
	  "pci 0000:00:01.0: BAR 1 [mem 0x00000000-0x00000fff]\n"
	  "pci 0000:00:01.0: BAR 0 [mem 0xe0000000-0xe0000fff]: assigned\n"
	  "pci 0000:00:01.0: BAR 1: assigned [mem 0xe0001000-0xe0001fff]\n", .had = 2 },
	{ "what the kernel had no space for, and there is some",
	  ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0x00000000-0x00000fff]\n"
	  "pci 0000:00:01.0: BAR 1 [mem 0x00000000-0x00001fff]\n"
	  "pci 0000:00:01.0: BAR 0 [mem size 0x00001000]: can't assign; no space\n"
	  "pci 0000:00:01.0: BAR 0 [mem size 0x00001000]: failed to assign\n"
	  "pci 0000:00:01.0: BAR 1: no space for [mem size 0x00002000]\n"
	  "pci 0000:00:01.0: BAR 1: failed to assign [mem size 0x00002000]\n",
	  .lacked = 2, .gained = 2, .filled = 2 },
	{ "what the kernel could not claim, in all ways to say it",
	  ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0xfe010000-0xfe010fff]\n"
	  "pci 0000:00:01.0: BAR 1 [mem 0xfe020000-0xfe020fff]\n"
	  "pci 0000:00:01.0: BAR 2 [mem 0xfe030000-0xfe030fff]\n"
	  "pci 0000:00:01.0: can't claim BAR 0 [mem 0xfe010000-0xfe010fff]: no compatible bridge window\n"
	  "pci 0000:00:01.0: BAR 1 [mem 0xfe020000-0xfe020fff]: can't claim; no compatible bridge window\n"
	  "PCI: Cannot allocate resource region 2 of device 0000:00:01.0, will remap\n",
	  .lacked = 3, .gained = 3, .filled = 3 },
	{ "a transparent bridge passes on what it has no window for",
	  ROOT "pci 0000:00:1e.0: [1234:0004] type 01 class 0x060401\n"
	  "pci 0000:00:1e.0: PCI bridge to [bus 01] (subtractive decode)\n"
	  "pci 0000:00:1e.0:   bridge window [mem 0xe0000000-0xefffffff window] (subtractive decode)\n"
	  ENDPOINT("0000:01:00.0")
	  "pci 0000:01:00.0: reg 0x10: [mem 0xe1000000-0xe1000fff]\n", .had = 1 },
	{ "VFs, old and new",
	  ROOT ENDPOINT("0000:00:01.0") ENDPOINT("0000:00:02.0")
	  "pci 0000:00:01.0: reg 0x184: [mem 0xe0000000-0xe0003fff 64bit]\n"
	  "pci 0000:00:01.0: VF(n) BAR0 space: [mem 0xe0000000-0xe001ffff 64bit] (contains BAR0 for 8 VFs)\n"
	  "pci 0000:00:02.0: VF BAR 0 [mem 0x00000000-0x00003fff 64bit]\n"
	  "pci 0000:00:02.0: VF BAR 0 [mem 0x00000000-0x0001ffff 64bit]: contains BAR 0 for 8 VFs\n"
	  "pci 0000:00:02.0: BAR 7: assigned [mem 0xe0020000-0xe003ffff 64bit]\n", .had = 2 },
	{ "number 7 is a window of a bridge",
	  SMALL "pci 0000:00:1c.0: BAR 7: assigned [io  0x3000-0x3fff]\n"
	  "pci 0000:01:00.0: BAR 1: assigned [io  0x3000-0x301f]\n", .had = 3 },
	{ "number 13 is one, too",
	  SMALL "pci 0000:00:1c.0: BAR 13: assigned [io  0x3000-0x3fff]\n"
	  "pci 0000:01:00.0: BAR 1: assigned [io  0x3000-0x301f]\n", .had = 3 },
	{ "what is not listed again is closed",
	  SMALL "pci 0000:01:00.0: BAR 1: releasing [io  0x2000-0x201f]\n"
	  "pci 0000:00:1c.0: PCI bridge to [bus 01]\n"
	  "pci 0000:00:1c.0:   bridge window [mem 0xe0000000-0xe00fffff]\n"
	  "pci 0000:00:1c.0:   bridge window [mem 0x1000000000-0x10000fffff 64bit pref]\n",
	  .had = 2, .lacked = 1, .gained = 1, .filled = 1 },
	{ "the second of two boots is what counts",
	  "Linux version 6.1.0\n" ROOT ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0xe0000000-0xe0000fff]\n"
	  "Linux version 6.2.0\n" ROOT ENDPOINT("0000:00:02.0")
	  "pci 0000:00:02.0: BAR 0 [mem 0xe0000000-0xe0000fff]\n", .had = 1 },
	{ "a device that goes away", SMALL ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0xe0100000-0xe01fffff]\n"
	  "pci_bus 0000:01: busn_res: [bus 01] is released\n", .had = 1 },
	{ "a bus that gets other numbers, with what was found on it", PORTS
	  PORT("0000:01:00.0")
	  RELEASED("04", "01")
	  "pcieport 0000:00:1c.0: [bus 01-01] becomes [bus 04-06]\n"
	  "pci 0000:04:00.0: PCI bridge to [bus 05-06]\n"
	  ENDPOINT("0000:05:00.0")
	  "pci 0000:05:00.0: BAR 0 [mem 0x00000000-0x00003fff]\n"
	  "pci 0000:05:00.0: BAR 0 [mem 0xe0000000-0xe0003fff]: assigned\n"
	  "pci 0000:04:00.0:   bridge window [mem 0xe0000000-0xe00fffff]\n",
	  .had = 1 },
	{ "an empty bus makes room for one next to it", PORTS
	  PORT("0000:01:00.0")
	  RELEASED("03", "02")
	  "pci_bus 0000:01: busn_res: [bus 01] end is updated to 02\n"
	  "pcieport 0000:00:1c.0: [bus 01-01] becomes [bus 01-02]\n"
	  "pcieport 0000:00:1d.0: [bus 02-02] becomes [bus 03-03]\n"
	  "pci 0000:01:00.0: PCI bridge to [bus 02]\n"
	  ENDPOINT("0000:02:00.0")
	  "pci 0000:02:00.0: BAR 0 [mem 0xe0000000-0xe0003fff]: assigned\n"
	  "pci 0000:01:00.0:   bridge window [mem 0xe0000000-0xe00fffff]\n",
	  .had = 1 },
	{ "buses that trade their numbers", PORTS
	  ENDPOINT("0000:01:00.0") "pci 0000:01:00.0: BAR 0 [mem 0xe0000000-0xe0003fff]\n"
	  ENDPOINT("0000:02:00.0") "pci 0000:02:00.0: BAR 0 [mem 0xe0100000-0xe0103fff]\n"
	  RELEASED("01", "02") RELEASED("02", "01")
	  "pcieport 0000:00:1c.0: [bus 01-01] becomes [bus 02-02]\n"
	  "pcieport 0000:00:1d.0: [bus 02-02] becomes [bus 01-01]\n", .had = 2 },
	{ "a bus that keeps its number while the one above gets another", PORTS
	  PORT("0000:02:00.0") "pci 0000:02:00.0: PCI bridge to [bus 04]\n"
	  "pci 0000:02:00.0:   bridge window [mem 0xe0100000-0xe01fffff]\n"
	  ENDPOINT("0000:04:00.0") "pci 0000:04:00.0: BAR 0 [mem 0xe0100000-0xe0103fff]\n"
	  RELEASED("04", "04") RELEASED("03", "02")
	  "pcieport 0000:00:1d.0: [bus 02-04] becomes [bus 03-04]\n"
	  "pci 0000:03:00.0: [bus 04-04] becomes [bus 04-04]\n", .had = 1 },
	{ "buses one below the other that all get the number of the next", PORTS
	  PORT("0000:04:00.0") PORT("0000:03:00.0") PORT("0000:02:00.0")
	  "pci 0000:02:00.0: PCI bridge to [bus 03-04]\n"
	  "pci 0000:02:00.0:   bridge window [mem 0xe0100000-0xe01fffff]\n"
	  "pci 0000:03:00.0: PCI bridge to [bus 04]\n"
	  "pci 0000:03:00.0:   bridge window [mem 0xe0100000-0xe01fffff]\n"
	  "pci 0000:04:00.0: BAR 0 [mem 0xe0100000-0xe0103fff]\n"
	  RELEASED("05", "04") RELEASED("04", "03") RELEASED("03", "02")
	  "pcieport 0000:00:1d.0: [bus 02-04] becomes [bus 03-05]\n"
	  "pci 0000:03:00.0: [bus 03-04] becomes [bus 04-05]\n"
	  "pci 0000:04:00.0: [bus 04-04] becomes [bus 05-05]\n", .had = 1 },
	{ "a bus gets the number of one that is removed", PORTS
	  ENDPOINT("0000:02:00.0")
	  ASSIGNED("0000:02:00.0", "0xe0100000-0xe0103fff") RELEASED("02", "02")
	  PORT("0000:01:00.0") RELEASED("02", "01")
	  "pcieport 0000:00:1c.0: [bus 01-01] becomes [bus 02-03]\n"
	  "pci 0000:02:00.0: PCI bridge to [bus 03]\n"
	  ENDPOINT("0000:03:00.0") ASSIGNED("0000:03:00.0", "0xe0000000-0xe0003fff")
	  "pci 0000:02:00.0:   bridge window [mem 0xe0000000-0xe00fffff]\n", .had = 1 },
	{ "a bus gets two other numbers, one after the other", PORTS
	  ENDPOINT("0000:01:00.0") ASSIGNED("0000:01:00.0", "0xe0000000-0xe0003fff")
	  RELEASED("03", "01") "pcieport 0000:00:1c.0: [bus 01-01] becomes [bus 03-03]\n"
	  RELEASED("04", "03") "pcieport 0000:00:1c.0: [bus 03-03] becomes [bus 04-04]\n",
	  .had = 1 },
	{ "what was removed before does not come along", PORTS
	  PORT("0000:01:00.1") "pci 0000:01:00.1: PCI bridge to [bus 03]\n"
	  "pci 0000:01:00.1: BAR 0 [mem 0xe0004000-0xe0007fff]: assigned\n"
	  RELEASED("03", "03") ENDPOINT("0000:01:00.0")
	  ASSIGNED("0000:01:00.0", "0xe0000000-0xe0003fff")
	  RELEASED("04", "01")
	  "pcieport 0000:00:1c.0: [bus 01-03] becomes [bus 04-06]\n", .had = 1 },
	{ "a log that ends before a bus has its other number", PORTS
	  ENDPOINT("0000:02:00.0")
	  ASSIGNED("0000:02:00.0", "0xe0100000-0xe0103fff") RELEASED("02", "01"), .had = 1 },
	{ "what has moved, and the windows that it is in", PORTS
	  ENDPOINT("0000:01:00.0") "pci 0000:01:00.0: BAR 0 [mem 0xe0000000-0xe0003fff]\n"
	  ENDPOINT("0000:02:00.0") "pci 0000:02:00.0: BAR 0 [mem 0xe0100000-0xe0103fff]\n"
	  ENDPOINT("0000:01:00.1") "pci 0000:01:00.1: BAR 0 [mem 0x00000000-0x000fffff]\n"
	  "nvme 0000:02:00.0: BAR 0 [mem 0xe0200000-0xe0203fff]: moved from [mem 0xe0100000-0xe0103fff], stopped for 5862 us\n"
	  "pcieport 0000:00:1c.0: bridge window [mem 0xe0000000-0xe01fffff]: was [mem 0xe0000000-0xe00fffff]\n"
	  "pcieport 0000:00:1d.0: bridge window [mem 0xe0200000-0xe02fffff]: was [mem 0xe0100000-0xe01fffff]\n"
	  "pci 0000:01:00.1: BAR 0 [mem 0xe0100000-0xe01fffff]: assigned\n", .had = 3 },
	{ "a window in use that is opened, and one that is closed", PORTS
	  "pcieport 0000:00:1c.0: bridge window [mem 0x00000000 disabled]: was [mem 0xe0000000-0xe00fffff]\n"
	  "pcieport 0000:00:1d.0: bridge window [mem 0xe0000000-0xe00fffff]: was [mem 0xe0100000-0xe01fffff]\n"
	  "pcieport 0000:00:1d.0: bridge window [io  0x2000-0x2fff]: was [io  0x0000 disabled]\n"
	  ENDPOINT("0000:01:00.0")
	  "pci 0000:01:00.0: BAR 0 [mem size 0x00001000]: can't assign; no space\n"
	  ENDPOINT("0000:02:00.0") "pci 0000:02:00.0: BAR 0 [mem 0xe0000000-0xe0000fff]: assigned\n"
	  "pci 0000:02:00.0: BAR 1 [io  0x2000-0x20ff]: assigned\n",
	  .had = 2, .lacked = 1, .gained = 1, .filled = 1 },
	{ "the same device once more", SMALL BEHIND, .had = 3 },
	{ "one of the same kind, which has less", SMALL ENDPOINT("0000:01:00.0")
	  "pci 0000:01:00.0: reg 0x10: [mem 0xe0000000-0xe0003fff]\n", .had = 1 },
	{ "a bridge once more, and nothing behind it yet", SMALL PORT("0000:00:1c.0")
	  ENDPOINT("0000:00:01.0") "pci 0000:00:01.0: BAR 0 [mem 0xe0100000-0xe01fffff]\n",
	  .had = 1 },
	{ "a bridge that goes away with its bus", PORTS
	  PORT("0000:01:00.0") "pci 0000:01:00.0: PCI bridge to [bus 03]\n"
	  "pci 0000:01:00.0:   bridge window [mem 0xe0000000-0xe00fffff]\n"
	  ENDPOINT("0000:03:00.0") "pci 0000:03:00.0: BAR 0 [mem 0xe0000000-0xe0003fff]\n"
	  RELEASED("03", "03")
	  PORT("0000:02:00.0") "pci 0000:02:00.0: PCI bridge to [bus 03]\n"
	  "pci 0000:02:00.0:   bridge window [mem 0xe0100000-0xe01fffff]\n"
	  ENDPOINT("0000:03:00.0") "pci 0000:03:00.0: BAR 0 [mem 0xe0100000-0xe0103fff]\n",
	  .had = 1 },
	{ "a bridge that goes away, and another one with the same bus", PORTS
	  PORT("0000:01:00.0") "pci 0000:01:00.0: PCI bridge to [bus 03]\n"
	  RELEASED("03", "03")
	  PORT("0000:02:00.0") "pci 0000:02:00.0: PCI bridge to [bus 03]\n"
	  "pci 0000:02:00.0: BAR 0 [mem 0xe0100000-0xe0103fff]\n"
	  ENDPOINT("0000:01:01.0")
	  ASSIGNED("0000:01:01.0", "0xe0000000-0xe0003fff") RELEASED("03", "03"), .had = 1 },
	{ "a card that is not present any more", SMALL
	  ENDPOINT("0000:00:01.0") "pci 0000:00:01.0: BAR 0 [mem 0xe0100000-0xe01fffff]\n"
	  SLOT("Card not present"), .had = 1 },
	{ "a link that is down", SMALL
	  ENDPOINT("0000:00:01.0") "pci 0000:00:01.0: BAR 0 [mem 0xe0100000-0xe01fffff]\n"
	  SLOT("Link Down"), .had = 1 },
	{ "a link that was down for a moment", SMALL SLOT("Link Down/Up ignored"), .had = 3 },
	{ "a slot that is switched off", SMALL
	  ENDPOINT("0000:00:01.0") "pci 0000:00:01.0: BAR 0 [mem 0xe0100000-0xe01fffff]\n"
	  SLOT("Button press: will power off in 5 sec"), .had = 1 },
	{ "a slot that is not switched off after all", SMALL
	  SLOT("Button press: will power off in 5 sec")
	  SLOT("Button press: canceling request to power off"), .had = 3 },
	{ "a slot with nothing to call off", SMALL SLOT("Card not present")
	  ENDPOINT("0000:00:01.0") "pci 0000:00:01.0: BAR 0 [mem 0xe0100000-0xe01fffff]\n"
	  SLOT("Button press: canceling request to power off"), .had = 1 },
	{ "what moves before the slot is switched off is there until then", SMALL
	  SLOT("Button press: will power off in 5 sec")
	  "nvme 0000:01:00.0: BAR 0 [mem 0xe0004000-0xe0007fff]: moved from [mem 0xe0000000-0xe0003fff], stopped for 5 us\n"
	  SLOT("Button press: canceling request to power off"), .had = 3 },
	{ "another card in the slot", SMALL SLOT("Card not present") SLOT("Card present")
	  "pci 0000:01:00.0: [1234:0001] type 00 class 0x010802\n"
	  "pci 0000:01:00.0: BAR 2 [mem 0x1000000000-0x100000ffff 64bit pref]: assigned\n",
	  .had = 1 },
	{ "a card of two functions that goes without a word, and its addresses to another",
	  PORTS ENDPOINT("0000:01:00.0") ASSIGNED("0000:01:00.0", "0xe0000000-0xe0003fff")
	  ENDPOINT("0000:01:00.1") ASSIGNED("0000:01:00.1", "0xe0004000-0xe0007fff")
	  "pcieport 0000:00:1c.0: bridge window [mem 0x00000000 disabled]: was [mem 0xe0000000-0xe00fffff]\n"
	  "pcieport 0000:00:1d.0: bridge window [mem 0xe0000000-0xe00fffff]: was [mem 0xe0100000-0xe01fffff]\n"
	  ENDPOINT("0000:02:00.0")
	  ASSIGNED("0000:02:00.0", "0xe0002000-0xe0003fff"), .had = 1 },
	{ "the same, and what moves gets them", PORTS
	  ENDPOINT("0000:02:00.0") ASSIGNED("0000:02:00.0", "0xe0100000-0xe0103fff")
	  ENDPOINT("0000:01:00.0") ASSIGNED("0000:01:00.0", "0xe0000000-0xe0003fff")
	  "pcieport 0000:00:1c.0: bridge window [mem 0x00000000 disabled]: was [mem 0xe0000000-0xe00fffff]\n"
	  "pcieport 0000:00:1d.0: bridge window [mem 0xe0000000-0xe00fffff]: was [mem 0xe0100000-0xe01fffff]\n"
	  "nvme 0000:02:00.0: BAR 0 [mem 0xe0000000-0xe0003fff]: moved from [mem 0xe0100000-0xe0103fff], stopped for 5 us\n",
	  .had = 1 },
	{ "one function goes without a word, and more is said about the other one", PORTS
	  ENDPOINT("0000:01:00.0") ASSIGNED("0000:01:00.0", "0xe0000000-0xe0003fff")
	  ENDPOINT("0000:01:00.1") ASSIGNED("0000:01:00.1", "0xe0004000-0xe0007fff")
	  ENDPOINT("0000:01:01.0") ASSIGNED("0000:01:01.0", "0xe0000000-0xe0003fff")
	  "nvme 0000:01:00.1: BAR 0 [mem 0xe0008000-0xe000bfff]: moved from [mem 0xe0004000-0xe0007fff], stopped for 5 us\n",
	  .had = 2 },
	{ "what firmware leaves in one place is not gone",
	  ROOT ENDPOINT("0000:00:02.0") ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: BAR 0 [mem 0xe0000000-0xe0000fff]\n"
	  "pci 0000:00:02.0: BAR 0 [mem 0xe0000000-0xe0000fff]: assigned\n", .had = 2 },
	{ "addresses on the bus that are others",
	  "pci_bus 0000:00: root bus resource [mem 0x8000000000-0x80ffffffff] (bus address [0x00000000-0xffffffff])\n"
	  ENDPOINT("0000:00:01.0") "pci 0000:00:01.0: reg 0x10: [mem 0x8080000000-0x8080000fff]\n",
	  .had = 1 },
	{ "domains of five digits, and two host bridges",
	  ROOT "pci_bus 10000:e0: root bus resource [mem 0x50000000-0x51ffffff]\n"
	  ENDPOINT("10000:e0:01.0") "pci 10000:e0:01.0: BAR 0 [mem 0x50000000-0x50000fff]\n"
	  ENDPOINT("0000:00:01.0") "pci 0000:00:01.0: BAR 0 [mem 0xe0000000-0xe0000fff]\n",
	  .had = 2 },
	{ "disks at the addresses of the first PC stay, as does a host bridge",
	  "pci_bus 0000:00: root bus resource [io  0x0000-0x0cf7]\n" ROOT
	  "pci 0000:00:01.0: [1234:0001] type 00 class 0x01018a\n"
	  "pci 0000:00:01.0: legacy IDE quirk: reg 0x10: [io  0x01f0-0x01f7]\n"
	  "pci 0000:00:01.0: legacy IDE quirk: reg 0x14: [io  0x03f6]\n"
	  "pci 0000:00:00.0: [1234:0003] type 00 class 0x060000\n"
	  "pci 0000:00:00.0: reg 0x10: [mem 0xfed00000-0xfed00fff]\n", .had = 2 },
	{ "a window for what is prefetchable only",
	  "pci_bus 0000:00: root bus resource [mem 0xe0000000-0xe00fffff]\n"
	  "pci_bus 0000:00: root bus resource [mem 0x1000000000-0x1fffffffff pref]\n"
	  ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: reg 0x10: [mem 0xe0000000-0xe000ffff 64bit]\n"
	  "pci 0000:00:01.0: reg 0x18: [mem 0x1000000000-0x100fffffff 64bit pref]\n", .had = 2 },
	{ "a root window that goes further than a plan does",
	  "pci_bus 0000:00: root bus resource [mem 0xe0000000-0xffffffffffffffff]\n"
	  ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: reg 0x10: [mem 0xe8000000-0xe800ffff]\n", .had = 1 },
	{ "root windows that overlap",
	  "pci_bus 0000:00: root bus resource [mem 0xe0000000-0xe7ffffff]\n"
	  "pci_bus 0000:00: root bus resource [mem 0xe4000000-0xefffffff]\n"
	  ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: reg 0x10: [mem 0xe8000000-0xe800ffff]\n", .had = 1 },
	{ "windows of bridges that overlap",
	  ROOT PORT("0000:00:01.0") PORT("0000:00:02.0")
	  "pci 0000:00:01.0: PCI bridge to [bus 01]\n"
	  "pci 0000:00:01.0:   bridge window [mem 0xe0000000-0xe01fffff]\n"
	  "pci 0000:00:02.0: PCI bridge to [bus 02]\n"
	  "pci 0000:00:02.0:   bridge window [mem 0xe0100000-0xe02fffff]\n"
	  ENDPOINT("0000:01:00.0") "pci 0000:01:00.0: BAR 0 [mem 0xe0000000-0xe0000fff]\n"
	  ENDPOINT("0000:02:00.0") "pci 0000:02:00.0: BAR 0 [mem 0xe0200000-0xe0200fff]\n",
	  .had = 2 },
	{ "a device that is added", SMALL, .hotadd = "0000:00:1c.0:mem=512K,pref64=64K,io=256",
	  .had = 3, .added = 3, .fitted = 3 },
	{ "windows grow for it", SMALL, .hotadd = "0000:00:1c.0:mem=16M",
	  .had = 3, .added = 1, .fitted = 1, .moved = 1 },
	{ "a bridge with it", SMALL, .hotadd = "0000:00:1c.0:bridge,mem=16M,pref64=1G",
	  .had = 3, .added = 2, .fitted = 2, .moved = 2 },
	{ "two of them", SMALL, .hotadd = "0000:00:1c.0:mem=16M;0000:00:1c.0:mem=16M",
	  .had = 3, .added = 2, .fitted = 2, .moved = 1 },
	{ "there is no room for it", SMALL, .hotadd = "0000:00:1c.0:mem=512M",
	  .had = 3, .added = 1 },
	{ "lspci, with root windows on the command line",
	  "00:1c.0 PCI bridge: Example (prog-if 00 [Normal decode])\n"
	  "\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n"
	  "\tI/O behind bridge: 00002000-00002fff [size=4K] [32-bit]\n"
	  "\tMemory behind bridge: e0000000-e00fffff [size=1M]\n"
	  "\tPrefetchable memory behind bridge: 0000001000000000-00000010000fffff [size=1M]\n"
	  "01:00.0 Ethernet controller: Example\n"
	  "\tRegion 0: Memory at e0000000 (32-bit, non-prefetchable) [size=16K]\n"
	  "\tRegion 1: I/O ports at 2000 [size=32]\n"
	  "\tRegion 2: Memory at 1000000000 (64-bit, prefetchable) [size=64K]\n"
	  "\tExpansion ROM at <unassigned> [disabled] [size=64K]\n",
	  .root = "mem:e0000000-efffffff,io:0x1000-0xffff,mem:1000000000-1fffffffff",
	  .had = 3, .lacked = 1, .gained = 1, .filled = 1 },
	{ "lspci, with root windows that are not known",
	  "00:01.0 Ethernet controller: Example\n"
	  "\tRegion 0: Memory at e0004000 (32-bit, non-prefetchable) [size=4K]\n"
	  "\tRegion 1: I/O ports at 3000 [size=32]\n"
	  "\tRegion 2: Memory at 1000000000 (64-bit, prefetchable) [size=64K]\n"
	  "\tExpansion ROM at <unassigned> [disabled] [size=512K]\n",
	  .had = 3, .lacked = 1, .gained = 1, .filled = 1 },
	{ "lspci, with closed windows, wrapped lines and /proc/iomem",
	  "0000:00:1c.0 PCI bridge [0604]: Example [1234:0002]\n"
	  "\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n"
	  "\tI/O behind bridge: None\n"
	  "\tMemory behind bridge:\n\t\te0000000-e00fffff [size=1M] [32-bit]\n"
	  "\tPrefetchable memory behind bridge: fff00000-000fffff [disabled]\n"
	  "0000:01:00.0 Ethernet controller [0200]: Example [1234:0001]\n"
	  "\tRegion 0: Memory at e0000000 (32-bit, non-prefetchable) [size=16K]\n"
	  "e0000000-efffffff : PCI Bus 0000:00\n"
	  "  e0000000-e00fffff : PCI Bus 0000:01\n"
	  "    e0000000-e0003fff : 0000:01:00.0\n", .had = 1 },
	{ "a hexadecimal dump, with sizes from /proc/iomem",
	  "00:01.0 Example\n"
	  "00: 34 12 01 00 07 00 00 00 00 00 00 02 00 00 00 00\n"
	  "10: 0c 00 00 e0 00 00 00 00 00 00 00 00 00 00 00 00\n"
	  "20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
	  "30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
	  "e0000000-efffffff : PCI Bus 0000:00\n"
	  "  e0000000-e0003fff : 0000:00:01.0\n", .had = 1 },
	{ "what has a driver that takes part makes room", NEIGHBOUR(DRIVER("nvme")),
	  .hotadd = NEIGHBOUR_ADD, .root = NEIGHBOUR_ROOT, .had = 2, .added = 1,
	  .fitted = 1, .moved = 3, .live = 1 },
	{ "so does what has no driver", NEIGHBOUR(""),
	  .hotadd = NEIGHBOUR_ADD, .root = NEIGHBOUR_ROOT, .had = 2, .added = 1,
	  .fitted = 1, .moved = 3, .live = 1 },
	{ "what has another driver does not", NEIGHBOUR(DRIVER("mlx5_core")),
	  .hotadd = NEIGHBOUR_ADD, .root = NEIGHBOUR_ROOT, .had = 2, .added = 1 },
	{ "a dump, for the sake of what may be broken in it",
	  DUMP_NEIGHBOUR("4", " why \"its driver takes no part\""), .had = 0 },
	{ "a dump with all there is, for the same sake", DUMP_BOOT("e00fffff"), .had = 0 },
	{ "a reason that is as long as it may be", DUMP_ROOT
	  DUMP_BAR("4", "0-f", " why \"" SIXTY "one\" in 0 name x"), .had = 0 },
	{ "nothing does if it is switched off", NEIGHBOUR(DRIVER("nvme")), .still = true,
	  .hotadd = NEIGHBOUR_ADD, .root = NEIGHBOUR_ROOT, .had = 2, .added = 1 },
	{ "nothing does if all has room without", NEIGHBOUR(DRIVER("nvme")),
	  .hotadd = "0000:00:1c.0:mem=16K", .root = NEIGHBOUR_ROOT, .had = 2, .added = 1,
	  .fitted = 1 },
	{ "nothing does if that is of no use", NEIGHBOUR(DRIVER("nvme")),
	  .hotadd = "0000:00:1c.0:mem=32M", .root = NEIGHBOUR_ROOT, .had = 2, .added = 1 },
	{ "nothing does for one if another has no place then", NEIGHBOUR(DRIVER("nvme")),
	  .hotadd = "0000:00:1c.0:mem=1M;0000:00:1d.0:mem=1M",
	  .root = "mem:e0000000-e02fffff", .had = 2, .lost = 1, .added = 2, .fitted = 1,
	  .moved = 1 },
	{ "it does even if another one has none then either", NEIGHBOUR(DRIVER("nvme")),
	  .hotadd = "0000:00:1c.0:mem=1M,mem=16M", .root = NEIGHBOUR_ROOT, .had = 2,
	  .added = 2, .fitted = 1, .moved = 3, .live = 1 },
	{ "a kernel's log does not tell what has no driver", DMESG_NEIGHBOUR,
	  .hotadd = NEIGHBOUR_ADD, .had = 2, .added = 1 },
	{ "unless one says so", DMESG_NEIGHBOUR, .named = true,
	  .hotadd = NEIGHBOUR_ADD, .had = 2, .added = 1, .fitted = 1, .moved = 3, .live = 1 },
	{ "nothing goes where the memory map has something", RESERVED("e"),
	  .hotadd = NEIGHBOUR_ADD, .had = 1, .lost = 1, .added = 1 },
	{ "beside that it does", RESERVED("f"),
	  .hotadd = NEIGHBOUR_ADD, .had = 1, .added = 1, .fitted = 1, .moved = 1 },
	{ "if not all has room, the largest has it first, as ever", OVERFULL,
	  .had = 1, .lacked = 2 },
	{ "so has that of a card", ROOMY,
	  .hotadd = "0000:00:1c.0:mem=16M,mem=8M,mem=8M,mem=8M", .had = 1, .added = 4,
	  .fitted = 2 },
	{ "nothing goes where the BIOS is", BIOS_AREA,
	  .hotadd = "0000:00:1c.0:mem=2M", .had = 1, .added = 1 },
};

static void verdict(bool good, const char *name, const char *why)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	printf("not as it should be: %s: %s\n", name, why);
}

static int run_text(struct replay *r, const struct replay_options *options,
		    const char *text, size_t size, struct fail *fail)
{
	struct log log;
	int ret;

	memset(r, 0, sizeof(*r));
	memset(fail, 0, sizeof(*fail));
	r->options = options;
	ret = log_text(&log, "log", text, size, fail);
	if (!ret)
		ret = replay_log(r, &log, fail);
	log_close(&log);
	return ret;
}

static void test_broken(void)
{
	static const char nul[] = "pci\0";
	const struct replay_options options = {};
	const struct broken *b;
	struct replay replay;
	struct fail fail;
	unsigned int i;
	size_t size;
	int ret;

	for (i = 0; i < LENGTH(broken); i++) {
		b = &broken[i];
		size = b->text ? strlen(b->text) : sizeof(nul);
		ret = run_text(&replay, &options, b->text ? b->text : nul, size, &fail);
		verdict(ret && strstr(fail.text, b->message) && !strchr(fail.text, '\n'),
			b->name, ret ? fail.text : "it is accepted");
		replay_free(&replay);
	}
}

static void test_samples(void)
{
	const struct sample *s;
	const struct tally *t;
	struct replay replay;
	struct fail fail;
	char why[900];
	unsigned int i;

	for (i = 0; i < LENGTH(samples); i++) {
		struct replay_options options = {
			.hotadd = samples[i].hotadd,
			.root = samples[i].root,
			.still = samples[i].still,
			.named = samples[i].named,
		};

		s = &samples[i];
		run_text(&replay, &options, s->text, strlen(s->text), &fail);
		t = &replay.tally;
		snprintf(why, sizeof(why),
			 "%s had %u lost %u lacked %u gained %u filled %u added %u fitted %u moved %u live %u %s",
			 fail.text, t->had, t->lost, t->lacked, t->gained, t->filled,
			 t->added, t->fitted, t->moved, t->live, t->wrong);
		verdict(!fail.text[0] && !t->broken && t->had == s->had &&
			t->lost == s->lost && t->lacked == s->lacked &&
			t->gained == s->gained && t->filled == s->filled &&
			t->added == s->added && t->fitted == s->fitted &&
			t->moved == s->moved && t->live == s->live, s->name, why);
		replay_free(&replay);
	}
}

static void test_options(void)
{
	static const struct {
		const char	*hotadd, *root, *message;
	} wrong[] = {
		{ "0000:00:1d.0:mem=1M", NULL, "there is no 0000:00:1d.0" },
		{ "0000:01:00.0:mem=1M", NULL, "leads to no bus" },
		{ "0000:00:1c.0:mem=3M", NULL, "power of two" },
		{ "0000:00:1c.0:mem=999999999M", NULL, "can't be read" },
		{ "0000:00:1c.0:io=1", NULL, "power of two" },
		{ "0000:00:1c.0:bridge", NULL, "no BAR" },
		{ "0000:00:1c.0:what=1M", NULL, "can't be read" },
		{ "0000:00:1c.0:mem=1M,", NULL, "can't be read" },
		{ "0000:00:1c.0:mem=1M;", NULL, "can't be read" },
		{ "0000:00:1c.0:mem=1M garbage", NULL, "can't be read" },
		{ "0000:00:1c.0:pref64=1M,pref64=1M,pref64=1M,mem=1M", NULL, "so many BARs" },
		{ "", NULL, "can't be read" },
		{ NULL, "mem:10-1", "can't be read" },
		{ NULL, "mem:zz-1", "can't be read" },
		{ NULL, "disk:0-1", "can't be read" },
		{ NULL, "mem:f0000000-ffffffff,", "can't be read" },
	};
	struct replay replay;
	struct fail fail;
	unsigned int i;
	int ret;

	for (i = 0; i < LENGTH(wrong); i++) {
		struct replay_options options = {
			.hotadd = wrong[i].hotadd,
			.root = wrong[i].root,
		};

		ret = run_text(&replay, &options, SMALL, strlen(SMALL), &fail);
		verdict(ret && strstr(fail.text, wrong[i].message),
			wrong[i].hotadd ? wrong[i].hotadd : wrong[i].root,
			ret ? fail.text : "it is accepted");
		replay_free(&replay);
	}
}

/* The same for a dump, which may have planned what is not possible */
static void test_dump_options(void)
{
	static const struct {
		const char	*hotadd, *text, *message;
	} wrong[] = {
		{ "0000:00:1d.0:mem=1M", DUMP_PORT("e0100000-e0103fff"),
		  "0000:00:1d.0 has no memory window in the dump" },
		{ "0000:00:1c.0:io=256", DUMP_PORT("e0100000-e0103fff"),
		  "0000:00:1c.0 has no I/O window in the dump" },
		{ "0001:00:1c.0:mem=1M", DUMP_PORT("e0100000-e0103fff"),
		  "0001:00:1c.0 has no memory window in the dump" },
		{ "0000:00:1c.0:mem=3M", DUMP_PORT("e0100000-e0103fff"), "power of two" },
		{ "0000:00:1c.0:mem=16K", DUMP_PORT("e0200000-e0203fff"),
		  "planned an item that is outside of its window: 0000:01:00.0 BAR 0" },
	};
	struct replay replay;
	struct fail fail;
	unsigned int i;
	int ret;

	for (i = 0; i < LENGTH(wrong); i++) {
		struct replay_options options = { .hotadd = wrong[i].hotadd };

		ret = run_text(&replay, &options, wrong[i].text, strlen(wrong[i].text), &fail);
		verdict(ret && strstr(fail.text, wrong[i].message), wrong[i].message,
			ret ? fail.text : "it is accepted");
		replay_free(&replay);
	}
}

static void test_files(void)
{
	const struct replay_options options = {};
	struct replay replay = { .options = &options };
	struct fail fail = {};

	verdict(replay_file(&replay, "/nonexistent/log", &fail) &&
		strstr(fail.text, "No such file"), "a file that does not exist", fail.text);
	replay_free(&replay);
	fail.text[0] = '\0';
	verdict(replay_file(&replay, "/", &fail) && strstr(fail.text, "not a regular file"),
		"a directory", fail.text);
	replay_free(&replay);
}

/* A line of a megabyte: of no interest, or a number that never ends */
static void test_long(void)
{
	static const char start[] = SMALL "pci 0000:01:00.0: BAR 3 [mem 0x";
	const struct replay_options options = {};
	const size_t size = 1 << 20;
	char *text = malloc(size);
	struct replay replay;
	struct fail fail;

	if (!text)
		return verdict(false, "long lines", "out of memory");
	memset(text, 'f', size);
	memcpy(text, start, sizeof(start) - 1);
	verdict(run_text(&replay, &options, text, size, &fail) &&
		strstr(fail.text, "log:13: a BAR"), "a number that never ends", fail.text);
	replay_free(&replay);

	memset(text, 'f', size);
	memcpy(text, SMALL, sizeof(SMALL) - 1);
	verdict(!run_text(&replay, &options, text, size, &fail) && replay.tally.had == 3,
		"a long line of no interest", fail.text);
	replay_free(&replay);
	free(text);
}

/* Anything may be broken anywhere: a message or a plan, and no more than that */
static void test_damage(void)
{
	static const char with[] = "\001\377 0f9]:[-.,x\n\tzZ";
	const struct replay_options options = { .hotadd = "0000:00:1c.0:mem=16M" };
	unsigned int seed = 1, round, i, k;
	struct replay replay;
	struct fail fail;
	char text[4096];
	size_t size;

	for (round = 0; round < 600; round++) {
		i = round % LENGTH(samples);
		size = strlen(samples[i].text);
		if (size >= sizeof(text))
			continue;
		memcpy(text, samples[i].text, size);
		for (k = 0; k < 1 + round % 4; k++) {
			seed = seed * 1103515245 + 12345;
			text[(seed >> 8) % size] = with[(seed >> 20) % (sizeof(with) - 1)];
		}
		/* Every third one ends early, too */
		if (!(round % 3))
			size = (seed >> 4) % size;
		if (!run_text(&replay, &options, text, size, &fail) && replay.tally.broken) {
			verdict(false, "a damaged log", replay.tally.wrong);
			printf("%.*s\n", (int)size, text);
		}
		replay_free(&replay);
	}
	passed++;
}

static char *read_back(FILE *file, size_t *size)
{
	char *text = NULL;
	long length;

	fseek(file, 0, SEEK_END);
	length = ftell(file);
	rewind(file);
	if (length > 0)
		text = malloc(length);
	*size = text ? fread(text, 1, length, file) : 0;
	return text;
}

static char *read_text(FILE *file)
{
	size_t size, length;
	char *text = read_back(file, &size), *longer;

	length = text ? size : 0;
	longer = realloc(text, length + 1);
	if (!longer) {
		free(text);
		return NULL;
	}
	longer[length] = '\0';
	return longer;
}

/* As far as a dump has it */
static bool same_item(const struct build *read, const struct build *written, unsigned int i)
{
	const struct pci_plan_item *a = &read->plan.item[i], *b = &written->plan.item[i];

	return a->new.has == b->new.has && a->new.start == b->new.start &&
	       a->new.start == read->dumped[i].start && a->hold == b->hold &&
	       !strcmp(read->of[i].why, written->of[i].why) &&
	       !strcmp(read->of[i].name, written->of[i].name);
}

/* What is dumped and read again is planned the same way */
static void test_dump(const char *name, const char *log, const char *hotadd,
		      const char *root)
{
	const struct replay_options plain = {};
	struct replay_options options = { .hotadd = hotadd, .root = root };
	struct replay replay, again;
	FILE *file = tmpfile();
	struct fail fail;
	unsigned int i, k, differ = 0;
	size_t size = 0;
	char *text;

	run_text(&replay, &options, log, strlen(log), &fail);
	for (i = 0; file && i < replay.count; i++)
		dump_write(file, &replay.found[i]);
	text = file ? read_back(file, &size) : NULL;
	if (file)
		fclose(file);

	if (run_text(&again, &plain, text ? text : "", size, &fail) ||
	    again.count != replay.count) {
		verdict(false, name, fail.text);
	} else {
		for (i = 0; i < again.count; i++)
			for (k = 0; k < again.boot[i].plan.count; k++)
				differ += !same_item(&again.boot[i], &replay.found[i], k);
		verdict(!differ && replay.count, name, "it is planned in another way");
	}
	replay_free(&again);
	replay_free(&replay);
	free(text);
}

/* What of a machine can move, and why not: in the report, and on the map */
struct shown {
	const char	*name;
	const char	*text;
	bool		still, named;
	const char	*hotadd;	/* to a dump */
	const char	*has[4];
	const char	*not;
	const char	*title;		/* on the map */
};

#define PINNED(why) "pinned, " why "\n"
#define PINNED_BY(what) "pinned, " what " is inside"
#define MOVED(why) \
	"  0000:02:00.0 BAR 0 from e0100000-e0103fff to e0200000-e0203fff, " why "\n"
#define HEMMED(when, why) \
	"no space" when ": 0000:01:01.0 BAR 0 of 0x100000 bytes: 0000:00:1c.0 memory" \
	" window is between the end and 0000:00:1d.0 memory window (" why ")\n"
#define GAP "          "
#define NOW(place) GAP place GAP " "
#define ADDED(depth, bar) \
	"\n" depth "behind 0000:00:1c.0, BAR " bar GAP " -" GAP GAP "      -" GAP "      "
#define TITLE "<title>0000:02:00.0 BAR 0, e0100000-e0103fff, "
#define TITLE_MOVED \
	"<title>0000:02:00.0 BAR 0, e0200000-e0203fff, was at e0100000-e0103fff, "
#define BOX(color) \
	"<rect x=\"470\" y=\"292\" width=\"218\" height=\"14\" fill=\"#" color "\""

static const struct shown shown[] = {
	{ "root windows that touch, and a BAR that would be in both",
	  "pci_bus 0000:00: root bus resource [mem 0x80100000-0x802fffff]\n"
	  "pci_bus 0000:00: root bus resource [mem 0x80300000-0x805fffff pref]\n"
	  PORT("0000:00:1c.0") "pci 0000:00:1c.0: PCI bridge to [bus 01]\n"
	  ENDPOINT("0000:00:01.0")
	  "pci 0000:00:01.0: reg 0x10: [mem 0x80400000-0x805fffff pref]\n",
	  .has = { "  80400000-805fffff          as found    80400000-805fffff  " } },
	{ "a block of no size in a dump keeps a BAR from being in two windows",
	  DUMP_TOUCHING, .has = { "  400000-5fffff               free: placed\n" },
	  .not = "DIFFERS" },
	{ "a dump tells which BARs are of one device", DUMP_WHOLE,
	  .has = { "e0000000-e07fffff           free: placed\n" }, .not = "DIFFERS" },
	{ "a driver that takes part", NEIGHBOUR(DRIVER("nvme")), .has = {
	  "\nmoves while in use, so that 0000:01:01.0 BAR 0 has a place:\n"
	  MOVED("its driver nvme takes part"),
	  "  movable: moved\n", "1 of them BARs in use\n" }, .not = "no space",
	  .title = TITLE_MOVED "movable</title>\n" BOX("bfe0ff") },
	{ "no driver", NEIGHBOUR(""), .has = {
	  MOVED("it has no driver"),
	  "  no driver: moved\n" }, .not = "no space",
	  .title = TITLE_MOVED "no driver</title>\n" BOX("ffc67a") },
	{ "nothing may move", NEIGHBOUR(DRIVER("nvme")), .still = true, .has = {
	  HEMMED(" as found", "movable"),
	  "  movable\n" }, .not = "moves while in use" },
	{ "another driver", NEIGHBOUR(DRIVER("mlx5_core")), .has = {
	  HEMMED(" as found",
		 "pinned, 0000:02:00.0 BAR 0 (its driver takes no part) is inside"),
	  PINNED("its driver takes no part"),
	  PINNED("0000:02:00.0 BAR 0 (its driver takes no part) is inside") },
	  .not = "moves while in use",
	  .title = TITLE "pinned, its driver takes no part</title>\n" BOX("f4b6b6") },
	{ "a driver whose name only begins like one", NEIGHBOUR(DRIVER("nvme-fabric")),
	  .has = { PINNED("0000:02:00.0 BAR 0 (its driver takes no part) is inside") } },
	{ "a BAR of less than a page",
	  NEIGHBOUR_CLASS("SATA controller", "2K", DRIVER("ahci")),
	  .has = { PINNED("it is less than a page") } },
	{ "the same without a driver", NEIGHBOUR_CLASS("SATA controller", "2K", ""),
	  .has = { "  no driver: moved\n" } },
	{ "I/O ports of a driver that takes part", NEIGHBOUR(DRIVER("virtio-pci"))
	  "00:1f.0 SCSI storage controller: Example\n"
	  "\tRegion 0: I/O ports at 2000 [size=128]\n" DRIVER("virtio-pci"),
	  .has = { PINNED("its driver takes no part with I/O ports") } },
	{ "I/O ports without a driver", NEIGHBOUR(DRIVER("virtio-pci"))
	  "00:1f.0 SCSI storage controller: Example\n"
	  "\tRegion 0: I/O ports at 2000 [size=128]\n", .has = { "  no driver\n" } },
	{ "a display", NEIGHBOUR_CLASS("VGA compatible controller", "16K", ""),
	  .has = { PINNED("it may be the framebuffer") } },
	{ "a display by number", NEIGHBOUR_CLASS("3D controller [0302]", "16K", DRIVER("nvme")),
	  .has = { PINNED("it may be the framebuffer") } },
	{ "a display from before there were classes",
	  NEIGHBOUR_CLASS("VGA compatible unclassified device", "16K", ""),
	  .has = { PINNED("it may be the framebuffer") } },
	{ "a display without a name", NEIGHBOUR_CLASS("0300", "16K", ""),
	  .has = { PINNED("it may be the framebuffer") } },
	{ "a serial port", NEIGHBOUR_CLASS("Serial controller", "16K", ""),
	  .has = { PINNED("it may be a console") } },
	{ "a part of the system", NEIGHBOUR_CLASS("System peripheral", "16K", ""),
	  .has = { PINNED("it is part of the system") } },
	{ "an IOMMU", NEIGHBOUR_CLASS("IOMMU", "16K", ""),
	  .has = { PINNED("it is part of the system") } },
	{ "an LPC bridge", NEIGHBOUR_CLASS("ISA bridge", "16K", ""),
	  .has = { PINNED("firmware may use it") } },
	{ "an SMBus", NEIGHBOUR_CLASS("SMBus", "16K", ""),
	  .has = { PINNED("firmware may use it") } },
	{ "an IPMI", NEIGHBOUR_CLASS("IPMI Interface", "16K", ""),
	  .has = { PINNED("firmware may use it") } },
	{ "VFs that are switched on", NEIGHBOUR(DRIVER("igb"))
	  "\tCapabilities: [160] Single Root I/O Virtualization (SR-IOV)\n"
	  "\t\tInitial VFs: 8, Total VFs: 8, Number of VFs: 2, Function Dependency Link: 00\n",
	  .has = { PINNED("it has VFs") } },
	{ "VFs that are not", NEIGHBOUR(DRIVER("igb"))
	  "\tCapabilities: [160] Single Root I/O Virtualization (SR-IOV)\n"
	  "\t\tInitial VFs: 8, Total VFs: 8, Number of VFs: 0, Function Dependency Link: 00\n",
	  .has = { "  movable: moved\n" } },
	{ "a dump with something without a driver", DUMP_NEIGHBOUR("2", ""), .has = {
	  "\nmoves while in use, so that 0000:01:01.0 BAR 0 has a place:\n"
	  MOVED("it has no driver"),
	  "  no driver: moved; DIFFERS\n", "  free: placed; DIFFERS\n" }, .not = "no space",
	  .title = TITLE_MOVED "no driver</title>" },
	{ "a dump with something whose driver takes part", DUMP_NEIGHBOUR("3", ""), .has = {
	  MOVED("its driver takes part"),
	  "  movable: moved; DIFFERS\n", PINNED("it recovers from an error") } },
	{ "a dump, and nothing may move", DUMP_NEIGHBOUR("3", ""), .still = true, .has = {
	  "  movable\n",
	  HEMMED("", "movable") },
	  .not = "moves while in use" },
	{ "a dump with nothing that moves",
	  DUMP_NEIGHBOUR("4", " why \"mappings can't move on this machine\""), .has = {
	  PINNED("mappings can't move on this machine"),
	  HEMMED("",
		 "pinned, 0000:02:00.0 BAR 0 (mappings can't move on this machine) is inside") },
	  .not = "DIFFERS",
	  .title = ", pinned, mappings can't move on this machine</title>" },
	{ "a dump from before there were reasons", DUMP_NEIGHBOUR("4", ""), .has = {
	  "  pinned\n", HEMMED("", "pinned, 0000:02:00.0 BAR 0 is inside") },
	  .not = "DIFFERS" },
	{ "a dump tells how the kernel began", DUMP_HOW(HOW_BOOT, "host e0000000-e0ffffff\n"),
	  .has = { "e0000000-e0ffffff           free: placed\n" }, .not = "DIFFERS" },
	{ "and what the windows of the host bridge are for",
	  DUMP_HOW(HOW_BOOT, "host e0000000-e0ffffff pref wide\n"),
	  .has = { "e0000000-e07fffff           free: placed; DIFFERS\n" } },
	{ "one from before there was anything else than a plan", DUMP_HOW("", ""),
	  .has = { "e0000000-e07fffff           free: placed; DIFFERS\n" } },
	{ "the largest of what is added to a dump comes first", DUMP_BOOT("e1ffffff"),
	  .hotadd = "0000:00:1c.0:mem=8M,mem=8M,mem=16M,mem=8M", .has = {
	  ADDED("  ", "0") NOW("e0800000-e0ffffff") "free: placed\n",
	  ADDED("  ", "2") NOW("e1000000-e1ffffff") "free: placed\n",
	  "no space: behind 0000:00:1c.0, BAR 1 of 0x800000 bytes",
	  "no space: behind 0000:00:1c.0, BAR 3 of 0x800000 bytes" } },
	{ "windows that stay at boot only", DUMP_BOOT("e00fffff"),
	  .hotadd = "0000:00:1d.0:mem=4K;0000:00:1c.0:bridge,mem=2M", .has = {
	  NOW("e0000000-e03fffff") PINNED_BY("0000:01:00.0 BAR 0") ": grown\n",
	  "\n    behind 0000:00:1c.0, BAR 0 ", "\n  behind 0000:00:1d.0, BAR 0 " } },
	{ "a device that is added to a dump", DUMP_PORT("e0100000-e0103fff"),
	  .hotadd = "0000:00:1c.0:mem=16K,pref64=16K,pref=16K", .has = {
	  " e0100000-e0103fff" NOW("e0100000-e0103fff")
	  PINNED("its driver is not known"),
	  ADDED("  ", "0") NOW("e0104000-e0107fff") "free: placed\n",
	  ADDED("  ", "1") NOW("e0200000-e0203fff") "free: placed\n",
	  ADDED("  ", "3") NOW("e0108000-e010bfff") "free: placed\n" },
	  .not = "DIFFERS" },
	{ "one behind a bridge of its own", DUMP_PORT("e0100000-e0103fff"),
	  .hotadd = "0000:00:1c.0:bridge,mem=16K,pref64=16K", .has = {
	  "\n  behind 0000:00:1c.0, memory window ",
	  "\n  behind 0000:00:1c.0, prefetchable window ",
	  ADDED("    ", "0") NOW("e0000000-e0003fff") "free: placed\n",
	  ADDED("    ", "1") NOW("e0200000-e0203fff") "free: placed\n" } },
	{ "one that makes what is in use move", DUMP_NEIGHBOUR("3", ""),
	  .hotadd = "0000:00:1c.0:mem=2M", .has = {
	  "\nmoves while in use, so that 0000:01:01.0 BAR 0, behind 0000:00:1c.0, BAR 0 have" } },
	{ "one that can't be above 4 GiB, where the port has all", DUMP_HIGH,
	  .hotadd = "0000:00:1c.0:mem=16K", .has = {
	  "no space: behind 0000:00:1c.0, BAR 0 of 0x4000 bytes" } },
	{ "one for which there is no room", DUMP_PORT("e0100000-e0103fff"),
	  .hotadd = "0000:00:1c.0:mem=16M", .has = {
	  "no space: behind 0000:00:1c.0, BAR 0 of 0x1000000 bytes" } },
	{ "a kernel's log", DMESG_NEIGHBOUR, .has = { PINNED("its driver is not known") },
	  .not = "moves while in use" },
	{ "a kernel's log that names drivers", DMESG_NEIGHBOUR, .named = true,
	  .has = { PINNED("its driver takes no part"), "it has no driver\n" } },
};

/* The report, and the map if @map is not NULL */
static char *output_of(struct replay_options *options, const char *text, char **map)
{
	char name[] = P_tmpdir "/test_replay.XXXXXX";
	FILE *out, *svg;
	struct replay replay;
	char *report = NULL;
	struct fail fail;
	size_t size = 0;
	int fd = map ? mkstemp(name) : -1;

	if (fd >= 0) {
		close(fd);
		options->svg = name;
	}
	out = open_memstream(&report, &size);
	if (run_text(&replay, options, text, strlen(text), &fail) || !out ||
	    replay_output(&replay, out, &fail))
		printf("%s\n", fail.text);
	if (out)
		fclose(out);
	replay_free(&replay);

	if (fd < 0)
		return report;
	svg = fopen(name, "r");
	*map = svg ? read_text(svg) : NULL;
	if (svg)
		fclose(svg);
	unlink(name);
	options->svg = NULL;
	return report;
}

static void test_shown(void)
{
	const struct shown *s;
	char *report, *map;
	unsigned int i, k;

	for (i = 0; i < LENGTH(shown); i++) {
		bool dump = !strncmp(shown[i].text, "plan ", 5);
		struct replay_options options = {
			.hotadd = dump ? shown[i].hotadd : NEIGHBOUR_ADD,
			.root = dump || strstr(shown[i].text, "pci_bus") ? NULL :
				NEIGHBOUR_ROOT ",io:1000-ffff",
			.still = shown[i].still,
			.named = shown[i].named,
		};

		s = &shown[i];
		map = NULL;
		report = output_of(&options, s->text, &map);
		for (k = 0; k < LENGTH(s->has) && s->has[k]; k++)
			verdict(report && strstr(report, s->has[k]), s->name,
				report ? report : "no report");
		if (s->not)
			verdict(report && !strstr(report, s->not), s->name,
				report ? report : "no report");
		if (s->title)
			verdict(map && strstr(map, s->title), s->name, map ? map : "no map");
		free(report);
		free(map);
	}
}

/* All output that there is, to be well formed at least */
static void test_output(void)
{
	char name[] = P_tmpdir "/test_replay.XXXXXX";
	struct replay_options options = {
		.hotadd = "0000:00:1c.0:mem=16M,io=64K",
		.svg = name,
	};
	FILE *out = tmpfile(), *svg;
	int fd = mkstemp(name);
	struct replay replay;
	char *text = NULL;
	struct fail fail;
	size_t size = 0;

	if (fd >= 0)
		close(fd);
	run_text(&replay, &options, SMALL, strlen(SMALL), &fail);
	verdict(out && !replay_output(&replay, out, &fail), "the report", fail.text);
	replay_free(&replay);
	if (out)
		fclose(out);

	svg = fopen(name, "r");
	if (svg) {
		text = read_back(svg, &size);
		fclose(svg);
	}
	verdict(text && size > 8 && !memcmp(text, "<svg ", 5) &&
		!memcmp(text + size - 7, "</svg>\n", 7), "the map", "it is not complete");
	free(text);
	unlink(name);
}

int main(void)
{
	test_broken();
	test_samples();
	test_options();
	test_dump_options();
	test_files();
	test_long();
	test_damage();
	test_dump("a dump read again", SMALL, "0000:00:1c.0:bridge,mem=16M", NULL);
	test_dump("a dump with reasons", NEIGHBOUR(DRIVER("mlx5_core")), NEIGHBOUR_ADD,
		  NEIGHBOUR_ROOT);
	test_dump("a dump with moves", NEIGHBOUR(DRIVER("nvme")), NEIGHBOUR_ADD,
		  NEIGHBOUR_ROOT);
	test_dump("a dump of what has no room", ROOMY,
		  "0000:00:1c.0:mem=16M,mem=8M,mem=8M,mem=8M", NULL);
	test_shown();
	test_output();
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}
