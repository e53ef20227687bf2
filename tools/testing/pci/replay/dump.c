// SPDX-License-Identifier: GPL-2.0
/*
 * Plans as text
 *
 * A line for each plan, and behind it one for each of its items:
 *
 *   plan <domain>:<bus> <io|mem> [items <n>] [missing <n>] [isa] [tries <n>
 *	first <index> last <index> bridge <index> [boot] [keep-bars]
 *	[keep-windows] [relax]]
 *   host <start-end> [pref] [wide]
 *   item <index> parent <index> alt <index|-> <window|bar> [hotplug]
 *	[optional] [pref] [barrier] [fixed] [vf] [kept] [laid-out] [reserved]
 *	hold <n> size <hex> align <hex> avoid <hex> reserve <hex> limit <hex>
 *	prefer <hex> [least <hex>]
 *	old <none|start-end> new <none|start-end> [why "<text>"] in <index>
 *	name <text>
 *
 * An item is on one line; indexes and n are decimal, all else is hexadecimal
 * without 0x.  The fields are those of struct pci_plan_item, in addresses on
 * the bus; @device follows from the name.  The first item has the addresses of
 * the host bridge, and each one is after the window that it is in.  What is
 * pinned may say why.  What is said of a plan behind "isa" are the fields of struct
 * pci_plan_greedy, and is there if the kernel may have begun in that way; the lines
 * with "host" are the windows of the host bridge, in its order.  What is in front
 * of "plan", "host" or "item" in a line, as the time of a message, is skipped, and
 * so are all other lines.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "dump.h"

#define DUMP_MAX	65536	/* items in a plan */
#define DUMP_FIRST	64	/* room for so many at first */
#define DUMP_TRIES	256	/* no hierarchy is as deep */
#define DUMP_TOP	0x4000000000000000ULL

/* The flags, in the order in which they are written */
struct dump_flag {
	const char	*name;
	size_t		offset;
};

static const struct dump_flag dump_flags[] = {
	{ " hotplug", offsetof(struct pci_plan_item, hotplug) },
	{ " optional", offsetof(struct pci_plan_item, optional) },
	{ " pref", offsetof(struct pci_plan_item, pref) },
	{ " barrier", offsetof(struct pci_plan_item, barrier) },
	{ " fixed", offsetof(struct pci_plan_item, fixed) },
	{ " vf", offsetof(struct pci_plan_item, vf) },
	{ " kept", offsetof(struct pci_plan_item, kept) },
	{ " laid-out", offsetof(struct pci_plan_item, laid_out) },
	{ " reserved", offsetof(struct pci_plan_item, reserved) },
};

static const struct dump_flag dump_greedy_flags[] = {
	{ " boot", offsetof(struct pci_plan_greedy, boot) },
	{ " keep-bars", offsetof(struct pci_plan_greedy, keep_bars) },
	{ " keep-windows", offsetof(struct pci_plan_greedy, keep_windows) },
	{ " relax", offsetof(struct pci_plan_greedy, relax) },
};

static bool *dump_flag(void *of, const struct dump_flag *flag)
{
	return (bool *)((char *)of + flag->offset);
}

static void dump_write_flags(FILE *out, void *of, const struct dump_flag *flags,
			     unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (*dump_flag(of, &flags[i]))
			fprintf(out, "%s", flags[i].name);
}

static void dump_read_flags(const char **p, void *of, const struct dump_flag *flags,
			    unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		*dump_flag(of, &flags[i]) = scan_text(p, flags[i].name);
}

static void dump_place(FILE *out, const char *name, const struct pci_plan_place *place)
{
	if (place->has)
		fprintf(out, " %s %s", name, topo_hex(place->start, place->end).text);
	else
		fprintf(out, " %s none", name);
}

static void dump_value(FILE *out, const char *name, u64 value)
{
	fprintf(out, " %s %llx", name, (unsigned long long)value);
}

static void dump_item(FILE *out, const struct build *build, unsigned int index)
{
	struct pci_plan_item *item = &build->plan.item[index];

	fprintf(out, "item %u parent %u alt ", index, item->parent);
	if (item->alt == PCI_PLAN_NO_ALT)
		fprintf(out, "-");
	else
		fprintf(out, "%u", item->alt);
	fprintf(out, " %s", item->window ? "window" : "bar");
	dump_write_flags(out, item, dump_flags, ARRAY_SIZE(dump_flags));
	fprintf(out, " hold %u", item->hold);
	dump_value(out, "size", item->size);
	dump_value(out, "align", item->align);
	dump_value(out, "avoid", item->avoid);
	dump_value(out, "reserve", item->reserve);
	dump_value(out, "limit", item->limit);
	dump_value(out, "prefer", item->prefer);
	if (item->least)
		dump_value(out, "least", item->least);
	dump_place(out, "old", &item->old);
	dump_place(out, "new", &item->new);
	if (build->of[index].why[0])
		fprintf(out, " why \"%s\"", build->of[index].why);
	fprintf(out, " in %u name %s\n", item->to, build->of[index].name);
}

static void dump_greedy(FILE *out, struct pci_plan_greedy how)
{
	fprintf(out, " tries %u first %u last %u bridge %u", how.tries, how.first, how.last,
		how.bridge);
	dump_write_flags(out, &how, dump_greedy_flags, ARRAY_SIZE(dump_greedy_flags));
}

static void dump_host(FILE *out, const struct pci_plan_host *host)
{
	fprintf(out, "host %s%s%s\n", topo_hex(host->start, host->end).text,
		host->pref ? " pref" : "", host->wide ? " wide" : "");
}

void dump_write(FILE *out, const struct build *build)
{
	unsigned int i;

	fprintf(out, "plan %04x:%02x %s items %u missing %u%s", build->domain, build->bus,
		build->type == TOPO_IO ? "io" : "mem", build->plan.count,
		build->plan.missing, build->plan.isa ? " isa" : "");
	if (build->greedy.tries)
		dump_greedy(out, build->greedy);
	fprintf(out, "\n");
	for (i = 0; i < build->plan.hosts; i++)
		dump_host(out, &build->plan.host[i]);
	for (i = 0; i < build->plan.count; i++)
		dump_item(out, build, i);
}

/* A block between two windows of a host bridge that touch is of no size */
static bool dump_read_place(const char **p, const char *name,
			    const struct pci_plan_item *item, struct pci_plan_place *place)
{
	bool empty = !item->window && !item->size;

	if (!scan_text(p, name))
		return false;
	if (scan_text(p, "none"))
		return true;
	if (!scan_hex(p, 1, 16, &place->start) || !scan_text(p, "-") ||
	    !scan_hex(p, 1, 16, &place->end))
		return false;

	place->has = true;
	return place->start <= place->end || (empty && place->start == place->end + 1);
}

static bool dump_read_value(const char **p, const char *name, u64 *value)
{
	return scan_text(p, name) && scan_hex(p, 1, 16, value);
}

static bool dump_read_where(const char **p, struct pci_plan_item *item)
{
	if (!scan_number(p, &item->parent) || !scan_text(p, " alt "))
		return false;
	item->alt = PCI_PLAN_NO_ALT;
	return scan_text(p, "-") || scan_number(p, &item->alt);
}

/* Behind "item <index> parent " */
static bool dump_read_item(const char **p, struct pci_plan_item *item,
			   struct pci_plan_place *new)
{
	unsigned int hold;

	if (!dump_read_where(p, item))
		return false;
	item->window = scan_text(p, " window");
	if (!item->window && !scan_text(p, " bar"))
		return false;
	dump_read_flags(p, item, dump_flags, ARRAY_SIZE(dump_flags));

	if (!scan_text(p, " hold ") || !scan_number(p, &hold) || hold > PCI_HOLD_PINNED)
		return false;
	item->hold = hold;
	return dump_read_value(p, " size ", &item->size) &&
	       dump_read_value(p, " align ", &item->align) &&
	       dump_read_value(p, " avoid ", &item->avoid) &&
	       dump_read_value(p, " reserve ", &item->reserve) &&
	       dump_read_value(p, " limit ", &item->limit) &&
	       dump_read_value(p, " prefer ", &item->prefer) &&
	       (!scan_text(p, " least ") || scan_hex(p, 1, 16, &item->least)) &&
	       dump_read_place(p, " old ", item, &item->old) &&
	       dump_read_place(p, " new ", item, new);
}

/* Behind that, if it is there; what is wrong with it, or NULL */
static const char *dump_read_why(const char **p, const struct pci_plan_item *item,
				 struct build_of *of)
{
	size_t length, i;

	if (!scan_text(p, " why \""))
		return NULL;

	length = strcspn(*p, "\"");
	if (!length || length >= sizeof(of->why) || (*p)[length] != '"')
		return "a reason that is empty, too long or cut off";
	for (i = 0; i < length; i++)
		if (!isprint((unsigned char)(*p)[i]))
			return "a reason that is no text";
	if (item->hold != PCI_HOLD_PINNED)
		return "a reason for what is not pinned";

	memcpy(of->why, *p, length);
	of->why[length] = '\0';
	*p += length + 1;
	return NULL;
}

/* The rest of an item */
static bool dump_read_name(const char **p, struct pci_plan_item *item,
			   struct build_of *of)
{
	if (!scan_text(p, " in ") || !scan_number(p, &item->to) ||
	    !scan_text(p, " name "))
		return false;

	snprintf(of->name, sizeof(of->name), "%.47s", *p);
	return true;
}

/* Which device it is a BAR of, by the name: the index of its first one */
static unsigned int dump_device(const struct build *build, unsigned int index)
{
	const char *name = build->of[index].name;
	size_t length = strcspn(name, " ");

	if (!index || build->plan.item[index].window || !name[length])
		return 0;
	if (build->plan.item[index - 1].device &&
	    !strncmp(name, build->of[index - 1].name, length + 1))
		return build->plan.item[index - 1].device;
	return index;
}

/* The kernel has no alignment for what is where it should not be */
static bool dump_odd(const struct pci_plan_item *item)
{
	u64 mask = item->align - 1;

	return item->old.start & mask || item->old.end > item->limit ||
	       (item->window && (item->old.end + 1) & mask);
}

/* Is it what the planner may be given?  If not, what is wrong */
const char *dump_check(const struct pci_plan *plan, unsigned int index)
{
	const struct pci_plan_item *item = &plan->item[index], *in;

	if (!item->align || item->align & (item->align - 1))
		return "an alignment that is no power of two";
	if (item->size >= DUMP_TOP || item->align >= DUMP_TOP ||
	    item->reserve >= DUMP_TOP || item->least >= DUMP_TOP)
		return "a size that nothing has";
	if (!index)
		return item->window && item->fixed && item->alt == PCI_PLAN_NO_ALT ? NULL :
		       "a host bridge that is no fixed window";
	if (item->parent >= index ||
	    (item->alt != PCI_PLAN_NO_ALT && item->alt >= index))
		return "an item that is before the window that it is in";

	in = &plan->item[item->parent];
	if (!in->window ||
	    (item->alt != PCI_PLAN_NO_ALT && !plan->item[item->alt].window))
		return "an item that is in a BAR";
	if (!item->old.has)
		return NULL;
	if (!in->old.has || in->old.start > item->old.start || in->old.end < item->old.end)
		return "an item that is outside of its window";
	if (dump_odd(item))
		return "an item where it should not be";
	if (!item->window && item->old.end - item->old.start + 1 != item->size)
		return "a BAR that is not as large as it is said to be";
	return NULL;
}

/* The last plan that was begun */
struct dump {
	struct log	*log;
	struct fail	*fail;
	struct build	*plans;
	unsigned int	count;
	unsigned int	items;	/* that the last is to have, if it says so */
};

static int dump_bad(struct dump *d, const char *what)
{
	return fail_at(d->fail, d->log->name, d->log->line, "%s", what);
}

/* Is it in a window of the kind that it is for? */
static bool dump_host_fits(const struct pci_plan *plan, const struct pci_plan_host *host)
{
	const struct pci_plan_place *root = &plan->item[0].old, *place;
	unsigned int i;

	if (!root->has || host->start < root->start || host->end > root->end)
		return false;
	for (i = 1; i < plan->count && !host->pref; i++) {
		place = &plan->item[i].old;
		if (plan->item[i].barrier && place->has && place->start <= host->end &&
		    host->start <= place->end)
			return false;
	}
	return true;
}

/* What was said before the items, when all are there; what is wrong, or NULL */
static const char *dump_check_plan(const struct build *build)
{
	const struct pci_plan_greedy *how = &build->greedy;
	const struct pci_plan *plan = &build->plan;
	const struct pci_plan_item *bridge = &plan->item[how->bridge];
	unsigned int i;

	if (how->last >= plan->count || how->first > how->last || !how->first != !how->last)
		return "a plan for items that are not there";
	if (how->bridge &&
	    (how->bridge < how->first || how->bridge > how->last || !bridge->window ||
	     bridge->second))
		return "a plan for a bridge that is none";
	for (i = 0; i < plan->hosts; i++)
		if (!dump_host_fits(plan, &plan->host[i]))
			return "a window that the host bridge does not have";
	return NULL;
}

/* What comes right after a window that will do as well, beside it */
static void dump_find_second(struct pci_plan *plan)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = 2; i < plan->count; i++) {
		item = &plan->item[i];
		item->second = item->window && item->alt == i - 1 &&
			       item->parent != item->alt && !plan->item[i - 1].second;
	}
}

/* What is there of a plan that comes to an end */
static int dump_finish(struct dump *d, struct build *build)
{
	const char *wrong;

	dump_find_second(&build->plan);
	wrong = dump_check_plan(build);
	if (wrong)
		return dump_bad(d, wrong);
	if (!build->plan.hosts && build_guess_hosts(build))
		return dump_bad(d, "out of memory");
	return 0;
}

static int dump_complete(struct dump *d)
{
	struct build *last = d->count ? &d->plans[d->count - 1] : NULL;

	if (last && !last->plan.count)
		return fail_at(d->fail, d->log->name, d->log->line,
			       "a plan without items: the dump is cut off");
	if (last && d->items && last->plan.count != d->items)
		return fail_at(d->fail, d->log->name, d->log->line,
			       "a plan of %u items has %u only: the dump is cut off",
			       d->items, last->plan.count);
	return last ? dump_finish(d, last) : 0;
}

/* Behind the number of items */
static bool dump_read_greedy(const char **p, struct build *build)
{
	struct pci_plan_greedy *how = &build->greedy;
	unsigned int missing;

	if (scan_text(p, " missing ") && !scan_number(p, &missing))
		return false;
	build->plan.ports = build->type == TOPO_IO;
	build->plan.isa = scan_text(p, " isa");
	if (!scan_text(p, " tries "))
		return true;
	if (!scan_number(p, &how->tries) || how->tries > DUMP_TRIES ||
	    !scan_text(p, " first ") || !scan_number(p, &how->first) ||
	    !scan_text(p, " last ") || !scan_number(p, &how->last) ||
	    !scan_text(p, " bridge ") || !scan_number(p, &how->bridge))
		return false;
	dump_read_flags(p, how, dump_greedy_flags, ARRAY_SIZE(dump_greedy_flags));
	return true;
}

/* Behind "plan " */
static int dump_plan(struct dump *d, const char *p)
{
	struct build *plans, *build;
	enum topo_type type = TOPO_MEM;
	struct bdf bus;

	if (!scan_bus(&p, &bus))
		return 0;
	if (dump_complete(d))
		return -1;
	if (scan_text(&p, " io"))
		type = TOPO_IO;
	else if (!scan_text(&p, " mem"))
		return dump_bad(d, "a plan of nothing that is known");
	d->items = 0;
	if (scan_text(&p, " items ") &&
	    (!scan_number(&p, &d->items) || !d->items || d->items > DUMP_MAX))
		return dump_bad(d, "a plan without a possible number of items");

	plans = realloc(d->plans, (d->count + 1) * sizeof(*plans));
	if (!plans)
		return dump_bad(d, "out of memory");
	d->plans = plans;
	build = &plans[d->count++];
	memset(build, 0, sizeof(*build));
	build->domain = bus.domain;
	build->bus = bus.bus;
	build->type = type;
	build->mode = BUILD_DUMP;
	if (!dump_read_greedy(&p, build))
		return dump_bad(d, "a plan that can't be read");
	build->dumped = calloc(DUMP_FIRST, sizeof(*build->dumped));
	if (build_alloc(build, DUMP_FIRST) || !build->dumped)
		return dump_bad(d, "out of memory");
	return 0;
}

/* Behind "host " */
static int dump_window(struct dump *d, const char *p)
{
	struct build *build = d->count ? &d->plans[d->count - 1] : NULL;
	u64 start, end;
	bool pref;

	if (!build || build->plan.count)
		return 0;
	if (!scan_hex(&p, 1, 16, &start) || !scan_text(&p, "-") ||
	    !scan_hex(&p, 1, 16, &end) || end < start)
		return dump_bad(d, "a window of a host bridge that can't be read");
	/* No plan goes further */
	if (start >= DUMP_TOP)
		return 0;
	if (end >= DUMP_TOP)
		end = DUMP_TOP - 1;
	pref = scan_text(&p, " pref");
	if (build_add_host(build, start, end, pref, scan_text(&p, " wide")))
		return dump_bad(d, "out of memory");
	return 0;
}

/* Behind "item " */
static int dump_line(struct dump *d, const char *p)
{
	struct build *build = d->count ? &d->plans[d->count - 1] : NULL;
	unsigned int index, next;
	struct pci_plan_item *item;
	const char *wrong;

	if (!scan_number(&p, &index) || !scan_text(&p, " parent "))
		return build ? dump_bad(d, "an item that can't be read") : 0;
	if (!build)
		return dump_bad(d, "an item without a plan in front of it");

	next = build->plan.count;
	if (index != next || next >= DUMP_MAX || (d->items && next >= d->items))
		return dump_bad(d, "an item out of order");
	if (next == build->max && build_grow(build))
		return dump_bad(d, "out of memory");
	item = &build->plan.item[next];
	if (!dump_read_item(&p, item, &build->dumped[next]))
		return dump_bad(d, "an item that can't be read");
	wrong = dump_read_why(&p, item, &build->of[next]);
	if (wrong)
		return dump_bad(d, wrong);
	if (!dump_read_name(&p, item, &build->of[next]))
		return dump_bad(d, "an item that can't be read");
	item->device = dump_device(build, next);

	build->plan.count++;
	wrong = dump_check(&build->plan, next);
	return wrong ? dump_bad(d, wrong) : 0;
}

/* Behind the time, if there is one */
static const char *dump_find(const char *line, const char *word)
{
	const char *p = strstr(line, word);

	return p && (p == line || p[-1] == ' ') ? p + strlen(word) : NULL;
}

/* Does a plan begin here? */
bool dump_is_plan(const char *line)
{
	const char *p = dump_find(line, "plan ");
	struct bdf bus;

	return p && scan_bus(&p, &bus) &&
	       (strstr(p, " items ") || strstr(p, " missing "));
}

/**
 * dump_read - read plans
 * @log: from the first line on
 * @plans: output, an array to be freed, as is each plan; also after a failure
 * @count: output, of @plans
 * @fail: what is wrong
 *
 * Return: 0, or -1 with @fail.
 */
int dump_read(struct log *log, struct build **plans, unsigned int *count,
	      struct fail *fail)
{
	struct dump d = { .log = log, .fail = fail };
	const char *line, *p, *host;
	int ret = 0;

	log_rewind(log);
	while (!ret && (line = log_next(log))) {
		p = dump_find(line, "item ");
		host = dump_find(line, "host ");
		if (dump_is_plan(line))
			ret = dump_plan(&d, dump_find(line, "plan "));
		else if (p)
			ret = dump_line(&d, p);
		else if (host)
			ret = dump_window(&d, host);
	}
	if (!ret)
		ret = dump_complete(&d);
	*plans = d.plans;
	*count = d.count;
	return ret;
}
