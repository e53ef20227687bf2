// SPDX-License-Identifier: GPL-2.0
/* What came of a replay, as text */
#include <string.h>

#include "move.h"
#include "report.h"

static bool report_same(const struct pci_plan_place *a, const struct pci_plan_place *b)
{
	return a->has == b->has && (!a->has || (a->start == b->start && a->end == b->end));
}

static bool report_is_bar(const struct build *build, unsigned int i)
{
	return (build->of[i].dev || build->mode == BUILD_DUMP) &&
	       !build->plan.item[i].window;
}

static bool report_had(const struct build *build, unsigned int i)
{
	const struct build_of *of = &build->of[i];

	return of->dev && topo_has(build->topo, of->dev, of->index);
}

/* In a word */
static const char *report_hold(const struct pci_plan_item *item)
{
	static const char * const names[] = {
		[PCI_HOLD_FREE]		= "free",
		[PCI_HOLD_CLAIMED]	= "claimed",
		[PCI_HOLD_UNBOUND]	= "no driver",
		[PCI_HOLD_MOVABLE]	= "movable",
		[PCI_HOLD_PINNED]	= "pinned",
	};

	return item->fixed ? "fixed" : names[item->hold];
}

struct report_text report_held(const struct build *build, unsigned int i)
{
	const struct pci_plan_item *item = &build->plan.item[i];
	const struct build_of *of;
	struct report_text held;
	unsigned int pin = 0;
	bool why;

	if (item->window && !item->fixed && item->hold == PCI_HOLD_PINNED)
		pin = move_pin(build, i);
	of = &build->of[pin ? pin : i];
	why = of->why[0] && item->hold == PCI_HOLD_PINNED;
	if (pin)
		snprintf(held.text, sizeof(held.text), "pinned, %s%s%s%s is inside",
			 of->name, why ? " (" : "", of->why, why ? ")" : "");
	else
		snprintf(held.text, sizeof(held.text), "%s%s%s", report_hold(item),
			 why ? ", " : "", why ? of->why : "");
	return held;
}

static void report_count_boot(const struct build *boot, struct tally *tally)
{
	const struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < boot->plan.count; i++) {
		item = &boot->plan.item[i];
		if (!report_is_bar(boot, i) || boot->of[i].dev->added)
			continue;
		if (report_had(boot, i)) {
			tally->had++;
			tally->lost += !item->new.has;
			continue;
		}
		tally->lacked++;
		tally->gained += item->new.has;
		tally->lacked_optional += item->optional;
		tally->gained_optional += item->optional && item->new.has;
	}
}

/* What is in its old place is not moved; what gets one or needs none neither */
static bool report_moved(const struct pci_plan_item *item)
{
	return item->old.has && !report_same(&item->old, &item->new);
}

void report_count(const struct build *boot, const struct build *found,
		  struct tally *tally)
{
	const struct pci_plan_item *item;
	unsigned int i;

	report_count_boot(boot, tally);
	for (i = 1; i < found->plan.count; i++) {
		item = &found->plan.item[i];
		tally->moved += report_moved(item);
		tally->live += report_moved(item) && move_can(found, i);
		if (!report_is_bar(found, i))
			continue;
		if (found->of[i].dev->added) {
			tally->added++;
			tally->fitted += item->new.has;
		} else if (!item->old.has) {
			tally->filled += item->new.has;
		}
	}
}

void report_check(const struct build *build, struct tally *tally)
{
	if (build->wrong && !tally->broken++)
		snprintf(tally->wrong, sizeof(tally->wrong), "%04x:%02x %s: %s",
			 build->domain, build->bus,
			 build->type == TOPO_IO ? "I/O" : "memory", build->wrong);
}

static void report_notes(FILE *out, const struct topo *topo)
{
	if (topo->boots > 1)
		fprintf(out, "note: the kernel starts %u times, this is the last\n",
			topo->boots);
	if (topo->removed)
		fprintf(out, "note: %u functions go away before the end of the log\n",
			topo->removed);
	if (topo->assumed_pref)
		fprintf(out, "note: %u bridges show no prefetchable window, and may have one\n",
			topo->assumed_pref);
	if (topo->vf_unsized)
		fprintf(out, "note: %u BARs of VFs have no size here and are left out\n",
			topo->vf_unsized);
	if (topo->assumed_hosts)
		fprintf(out,
			"note: %u host bridges show no addresses; taken from what is in use\n",
			topo->assumed_hosts);
	if (topo->cardbus)
		fprintf(out, "note: the windows of %u CardBus bridges are left out\n",
			topo->cardbus);
}

/* What can't be elsewhere, and is in no window */
static void report_outside(FILE *out, const struct topo *topo)
{
	const struct topo_dev *dev;
	const struct topo_res *res;
	unsigned int i;
	int k;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		for (k = 0; k < TOPO_WINDOW_IO; k++) {
			res = &dev->res[k];
			if (!res->seen || !res->last.has || !topo_stays(dev, k) ||
			    topo_has(topo, dev, k))
				continue;
			fprintf(out, "note: %s %s %s stays, outside of all windows\n",
				topo_name(&dev->at).text, topo_res_name(dev, k).text,
				topo_text(res->type, &res->last).text);
		}
	}
}

void report_topo(FILE *out, const struct topo *topo, const char *format)
{
	unsigned int bridges = 0, i;

	for (i = 0; i < topo->dev_count; i++)
		bridges += topo->dev[i]->header == TOPO_BRIDGE;
	fprintf(out, "%s: %s, %u functions, %u of them bridges, %u root buses\n",
		topo->name, format, topo->dev_count, bridges, topo->host_count);
	report_notes(out, topo);
	report_outside(out, topo);
}

/* The same one in another plan */
static const struct pci_plan_item *report_find(const struct build *build,
					       const struct build_of *of)
{
	unsigned int i;

	for (i = 0; i < build->plan.count; i++)
		if (build->of[i].dev == of->dev && build->of[i].index == of->index)
			return &build->plan.item[i];
	return NULL;
}

static unsigned int report_depth(const struct pci_plan *plan, unsigned int i)
{
	unsigned int depth = 0;

	for (; i; i = plan->item[i].parent)
		depth++;
	return depth;
}

static void report_place(char *text, size_t size, const struct pci_plan_place *place)
{
	if (place->has)
		snprintf(text, size, "%s", topo_hex(place->start, place->end).text);
	else
		snprintf(text, size, "-");
}

/* What the kernel of the log has done about it */
static const char *report_fate(const struct build *build, unsigned int i)
{
	const struct topo_res *res = &build->of[i].dev->res[build->of[i].index];

	if (build->of[i].dev->added)
		return "added";
	if (!res->seen)
		return "";
	if (!res->last.has)
		return res->fate == TOPO_FAILED ? "no space" :
		       res->fate == TOPO_UNCLAIMED ? "not claimed" :
		       res->fate == TOPO_RELEASED ? "released" : "";
	if (report_is_bar(build, i) && !report_had(build, i))
		return "not routed";
	return res->fate == TOPO_ASSIGNED ? "assigned" :
	       res->fate == TOPO_MOVED ? "moved" : "as found";
}

/* What the plan for the running machine does with an item, and why it may */
static void report_change(FILE *out, const struct build *build, unsigned int i)
{
	const struct pci_plan_item *item = &build->plan.item[i];
	const char *what = "";

	if (!item->old.has)
		what = item->new.has ? item->window ? "opened" : "placed" :
		       item->window || !item->size ? "" :
		       item->optional ? "no space, optional" : "NO SPACE";
	else if (!item->new.has)
		what = "closed";
	else if (!report_moved(item))
		what = "";
	else if (item->window && item->new.start <= item->old.start &&
		 item->new.end >= item->old.end)
		what = "grown";
	else if (item->window && item->new.start >= item->old.start &&
		 item->new.end <= item->old.end)
		what = "shrunk";
	else
		what = "moved";

	fprintf(out, "  %s", report_held(build, i).text);
	if (*what)
		fprintf(out, ": %s", what);
}

static void report_row(FILE *out, const struct build *boot, const struct build *found,
		       unsigned int i)
{
	const struct pci_plan_item *item = &found->plan.item[i], *scratch;
	char log[40], first[40], now[40];
	unsigned int depth = report_depth(&found->plan, i);

	scratch = report_find(boot, &found->of[i]);
	report_place(log, sizeof(log), &item->old);
	report_place(now, sizeof(now), &item->new);
	if (scratch)
		report_place(first, sizeof(first), &scratch->new);
	else
		snprintf(first, sizeof(first), "not there");
	fprintf(out, "%*s%-*s %-26s %-11s %-26s %-26s", 2 * (depth - 1), "",
		36 - 2 * (depth < 10 ? depth : 10), found->of[i].name, log,
		report_fate(found, i), first, now);
	report_change(out, found, i);
	fprintf(out, "\n");
}

/* Has the host bridge any addresses of this kind? */
static const char *report_why(const struct build *build)
{
	return build->plan.item[0].old.has ? "no room" :
	       build->type == TOPO_IO ? "the host bridge has no I/O window" :
	       "the host bridge has no memory window";
}

static void report_lost(FILE *out, const struct build *boot)
{
	const struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < boot->plan.count; i++) {
		item = &boot->plan.item[i];
		if (!report_is_bar(boot, i) || item->new.has)
			continue;
		fprintf(out, "%s at boot: %s of 0x%llx bytes%s: %s\n",
			report_had(boot, i) ? "LOST" : "not placed", boot->of[i].name,
			(unsigned long long)item->size,
			item->optional ? ", optional" : "", report_why(boot));
	}
}

/* What is next to a window in the one above, at its lower or at its upper end */
static unsigned int report_next(const struct build *build, unsigned int window, bool below)
{
	const struct pci_plan_item *item = build->plan.item, *w = &item[window];
	unsigned int i, found = 0;

	for (i = 1; i < build->plan.count; i++) {
		if (i == window || !item[i].new.has || item[i].to != w->to ||
		    item[i].barrier)
			continue;
		if (below ? item[i].new.end >= w->new.start : item[i].new.start <= w->new.end)
			continue;
		if (!found || (below ? item[i].new.end > item[found].new.end :
				       item[i].new.start < item[found].new.start))
			found = i;
	}
	return found;
}

static void report_neighbour(FILE *out, const struct build *build, unsigned int i)
{
	if (i)
		fprintf(out, "%s (%s)", build->of[i].name, report_held(build, i).text);
	else
		fprintf(out, "the end");
}

/* Why there is no space: what is on both sides of the window */
static void report_hemmed(FILE *out, const struct build *found)
{
	const struct pci_plan_item *item = found->plan.item;
	unsigned int i, window;

	for (i = 1; i < found->plan.count; i++) {
		if (!report_is_bar(found, i) || item[i].new.has || !item[i].size)
			continue;
		fprintf(out, "no space%s: %s of 0x%llx bytes: ",
			found->mode == BUILD_DUMP ? "" : " as found", found->of[i].name,
			(unsigned long long)item[i].size);
		for (window = item[i].parent; window && !item[window].new.has; )
			window = item[window].parent;
		if (!window) {
			fprintf(out, "%s\n", report_why(found));
			continue;
		}
		fprintf(out, "%s is between ", found->of[window].name);
		report_neighbour(out, found, report_next(found, window, true));
		fprintf(out, " and ");
		report_neighbour(out, found, report_next(found, window, false));
		fprintf(out, "\n");
	}
}

/* What could not stay, and for what */
static void report_moves(FILE *out, const struct build *build)
{
	const struct pci_plan_item *item;
	const struct build_of *of;
	unsigned int i, count = 0;

	if (!build->moves)
		return;

	fprintf(out, "moves while in use, so that");
	for (i = 1; i < build->plan.count; i++)
		if (build->of[i].waits && build->plan.item[i].new.has)
			fprintf(out, "%s %s", count++ ? "," : "", build->of[i].name);
	fprintf(out, " %s a place:\n", count > 1 ? "have" : "has");

	for (i = 1; i < build->plan.count; i++) {
		item = &build->plan.item[i];
		of = &build->of[i];
		if (!move_can(build, i) || !report_moved(item))
			continue;
		fprintf(out, "  %s from %s", of->name,
			topo_hex(item->old.start, item->old.end).text);
		fprintf(out, " to %s, ", item->new.has ?
			topo_hex(item->new.start, item->new.end).text : "no place");
		if (item->hold == PCI_HOLD_UNBOUND)
			fprintf(out, "it has no driver\n");
		else if (of->dev)
			fprintf(out, "its driver %s takes part\n", of->dev->driver);
		else
			fprintf(out, "its driver takes part\n");
	}
}

static bool report_empty(const struct build *build)
{
	unsigned int i;

	for (i = 1; i < build->plan.count; i++)
		if (build->of[i].dev)
			return false;
	return true;
}

/* All of a plan from scratch, beside the one for the machine as it is */
void report_plan(FILE *out, const struct build *boot, const struct build *found)
{
	unsigned int i;

	if (report_empty(found))
		return;

	fprintf(out, "\nroot bus %04x:%02x, %s, addresses on the bus\n", found->domain,
		found->bus, found->type == TOPO_IO ? "I/O" : "memory");
	fprintf(out, "%-34s %-26s %-11s %-26s %-26s  %s\n", "what", "in the log",
		"base kernel", "planned at boot", "planned as found", "hold");
	for (i = 1; i < found->plan.count; i++)
		if (found->of[i].dev)
			report_row(out, boot, found, i);
	report_lost(out, boot);
	report_moves(out, found);
	report_hemmed(out, found);
}

/* A plan of the kernel's beside what comes of it here */
void report_dump(FILE *out, const struct build *build)
{
	const struct pci_plan_item *item;
	char old[40], dumped[40], now[40];
	unsigned int i;

	fprintf(out, "\nroot bus %04x:%02x, %s, addresses on the bus\n", build->domain,
		build->bus, build->type == TOPO_IO ? "I/O" : "memory");
	fprintf(out, "%-40s %-26s %-26s %-26s  %s\n", "what", "before", "kernel's plan",
		"planned here", "hold");
	for (i = 1; i < build->plan.count; i++) {
		item = &build->plan.item[i];
		report_place(old, sizeof(old), &item->old);
		report_place(dumped, sizeof(dumped), &build->dumped[i]);
		report_place(now, sizeof(now), &item->new);
		fprintf(out, "%*s%-*s %-26s %-26s %-26s",
			2 * (report_depth(&build->plan, i) - 1), "", 36,
			build->of[i].name, old, dumped, now);
		report_change(out, build, i);
		if (!build->settled && !report_same(&item->new, &build->dumped[i]))
			fprintf(out, "; DIFFERS");
		fprintf(out, "\n");
	}
	report_moves(out, build);
	report_hemmed(out, build);
}

void report_tally(FILE *out, const struct tally *tally)
{
	fprintf(out, "at boot: %u of %u BARs with an address in the log are placed, ",
		tally->had - tally->lost, tally->had);
	fprintf(out, "and %u of %u without one (%u of %u optional)\n", tally->gained,
		tally->lacked, tally->gained_optional, tally->lacked_optional);
	fprintf(out, "as found: %u of %u without one are placed", tally->filled,
		tally->lacked);
	if (tally->added)
		fprintf(out, ", %u of %u that are added", tally->fitted, tally->added);
	fprintf(out, "; %u BARs and windows change", tally->moved);
	if (tally->live)
		fprintf(out, ", %u of them BARs in use", tally->live);
	fprintf(out, "\n");
}

void report_broken(FILE *out, const struct tally *tally)
{
	if (tally->broken)
		fprintf(out, "BROKEN: %u plans do not pass the check, first %s\n",
			tally->broken, tally->wrong);
}
