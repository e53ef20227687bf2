// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: planning of bus numbers
 *
 * A bridge routes one range of bus numbers, which lies in the range of the
 * bridge above it and beside those of its neighbours (PCI-to-PCI Bridge
 * Architecture Specification 1.2, section 3.2.5).  So a number for one more
 * bridge may have to come from far away: from the end of the ranges of all
 * bridges above it, or from neighbours with nothing in use behind them.
 */
#include <linux/errno.h>
#include <linux/minmax.h>

#include "plan.h"

#define BUSN_APART	8	/* left between a bridge and one that makes room */

/* What may change to make room; what comes first is tried first */
enum busn_effort {
	BUSN_GROW,		/* ranges above the new bridge end later */
	BUSN_MOVE_ABOVE,	/* they begin elsewhere, if nothing there is in use */
	BUSN_MOVE_BESIDE,	/* so do the ranges beside them */
	BUSN_DROP_RESERVE,	/* ranges beside them lose numbers they do not need */
	BUSN_PACK,		/* and what is below them is moved together */
	BUSN_EFFORTS,
};

/* One level of the hierarchy: make room for a bridge on a bus */
struct busn_level {
	const struct pci_busn_plan *plan;
	enum busn_effort	effort;
	unsigned int		parent;	/* the bus */
	unsigned int		child;	/* the bus behind the bridge */
	int			size;	/* numbers that @child needs */
	int			first;	/* numbers that it can have */
	int			last;
	bool			grows;	/* @last is not what @parent has now */
};

/* Where @child goes */
struct busn_place {
	int	start;
	int	moves;	/* bridges that get other numbers */
	int	room;	/* free numbers after it */
	int	end;	/* last number that is needed on this level */
};

static bool busn_none(const struct pci_busn *bus)
{
	return bus->end < bus->start;
}

static bool busn_movable(const struct pci_busn *bus)
{
	return !bus->pinned && !bus->fixed;
}

/* Is @i a bus beside @level->child that has numbers? */
static bool busn_beside(const struct busn_level *level, unsigned int i)
{
	const struct pci_busn *bus = &level->plan->bus[i];

	return i && i != level->child && bus->parent == level->parent &&
	       !busn_none(bus);
}

/* The last number that a bus beside the child keeps */
static int busn_keeps(const struct busn_level *level, const struct pci_busn *bus)
{
	return level->effort >= BUSN_DROP_RESERVE && !bus->fixed ? bus->used :
								   bus->end;
}

static bool busn_overlap(int start, int end, int other_start, int other_end)
{
	return start <= other_end && other_start <= end;
}

static bool busn_foreign(const struct pci_busn_plan *plan, int start, int end)
{
	int n;

	for (n = max(start, 0); n <= min(end, PCI_BUSN_COUNT - 1); n++)
		if (plan->foreign[n])
			return true;

	return false;
}

/* Numbers of other host bridges; a bus that moves has no place yet */
static bool busn_level_foreign(const struct busn_level *level, int start,
			       int end)
{
	return (!level->parent || level->plan->bus[level->parent].pinned) &&
	       busn_foreign(level->plan, start, end);
}

/* Bridges beside that have to leave @start to @end; negative if one stays */
static int busn_in_the_way(const struct busn_level *level, int start, int end)
{
	const struct pci_busn *bus = level->plan->bus;
	unsigned int i;
	int moves = 0;

	if (start < level->first || end > level->last ||
	    busn_level_foreign(level, start, end))
		return -1;

	for (i = level->parent + 1; i < level->plan->count; i++) {
		if (!busn_beside(level, i) ||
		    !busn_overlap(start, end, bus[i].start,
				  busn_keeps(level, &bus[i])))
			continue;
		if (!busn_movable(&bus[i]) || level->effort < BUSN_MOVE_BESIDE)
			return -1;
		moves++;
	}

	return moves;
}

/* Is @i beside the child, and where the child goes? */
static bool busn_leaves(const struct busn_level *level, unsigned int i)
{
	const struct pci_busn *bus = level->plan->bus, *child = &bus[level->child];

	return busn_beside(level, i) &&
	       busn_overlap(child->new_start, child->new_end, bus[i].start,
			    busn_keeps(level, &bus[i]));
}

/* May a bridge that makes room have @start to @end? */
static bool busn_free(const struct busn_level *level, int start, int end)
{
	const struct pci_busn *bus = level->plan->bus, *child = &bus[level->child];
	unsigned int i;

	if (start < level->first || end > level->last ||
	    busn_level_foreign(level, start, end) ||
	    busn_overlap(start, end, child->new_start, child->new_end))
		return false;

	for (i = level->parent + 1; i < level->plan->count; i++) {
		if (!busn_beside(level, i))
			continue;
		/* What is in the way itself goes elsewhere */
		if (busn_leaves(level, i) && bus[i].new_start == bus[i].start)
			continue;
		if (busn_overlap(start, end, bus[i].new_start,
				 min(bus[i].new_end, bus[i].new_start +
				     busn_keeps(level, &bus[i]) - bus[i].start)))
			return false;
	}

	return true;
}

/*
 * A place for a bridge that makes room: not right after what it makes room for,
 * which may need more, but not far away either, as not all numbers that a host
 * bridge claims to have are good.  If the parent has to grow, as near as may be.
 */
static int busn_find_free(const struct busn_level *level, int size)
{
	int first = level->first, last = level->last - size + 1, start;

	if (!level->grows)
		first = level->plan->bus[level->child].new_end + 1 + BUSN_APART;

	for (start = first; start <= last; start++)
		if (busn_free(level, start, start + size - 1))
			return start;
	for (start = min(first, last + 1) - 1; start >= level->first; start--)
		if (busn_free(level, start, start + size - 1))
			return start;

	return -1;
}

/* A bus stays as it is */
static void busn_stay(struct pci_busn *bus)
{
	bus->new_start = bus->start;
	bus->new_end = bus->end;
}

static void busn_reset(const struct busn_level *level)
{
	struct pci_busn *bus = level->plan->bus;
	unsigned int i;

	for (i = level->parent + 1; i < level->plan->count; i++)
		if (bus[i].parent == level->parent)
			busn_stay(&bus[i]);
}

/* Place the child at @start, and elsewhere what is in the way */
static bool busn_place(const struct busn_level *level, int start, int *end)
{
	struct pci_busn *bus = level->plan->bus, *child = &bus[level->child];
	unsigned int i;
	int size;

	busn_reset(level);
	child->new_start = start;
	child->new_end = start + level->size - 1;
	*end = child->new_end;

	for (i = level->parent + 1; i < level->plan->count; i++) {
		if (!busn_beside(level, i))
			continue;

		if (!busn_leaves(level, i)) {
			*end = max(*end, busn_keeps(level, &bus[i]));
			continue;
		}

		size = busn_keeps(level, &bus[i]) - bus[i].start + 1;
		start = busn_find_free(level, size);
		if (start < 0)
			return false;
		bus[i].new_start = start;
		bus[i].new_end = start + size - 1;
		*end = max(*end, bus[i].new_end);
	}

	return true;
}

/* Where the reserve of a bridge that stays begins to be that of another one */
static void busn_cut(const struct busn_level *level)
{
	struct pci_busn *bus = level->plan->bus;
	unsigned int i, k;

	for (i = level->parent + 1; i < level->plan->count; i++) {
		if (!busn_beside(level, i) || bus[i].new_start != bus[i].start)
			continue;
		for (k = level->parent + 1; k < level->plan->count; k++)
			if (bus[k].parent == level->parent &&
			    (k == level->child ||
			     bus[k].new_start != bus[k].start) &&
			    bus[k].new_start > bus[i].start &&
			    bus[k].new_start <= bus[i].new_end)
				bus[i].new_end = bus[k].new_start - 1;
	}
}

/* Free numbers from @start on */
static int busn_room(const struct busn_level *level, int start)
{
	int n = start;

	while (n <= level->last && !busn_in_the_way(level, n, n))
		n++;

	return n - start;
}

static bool busn_better(const struct busn_level *level,
			const struct busn_place *a, const struct busn_place *b)
{
	if (b->start < 0)
		return true;
	if (level->grows && a->end != b->end)
		return a->end < b->end;
	if (a->moves != b->moves)
		return a->moves < b->moves;
	return a->room > b->room;
}

/* Make room on one level; the last number needed, or negative */
static int busn_level(const struct busn_level *level)
{
	const struct pci_busn *child = &level->plan->bus[level->child];
	struct busn_place best = { .start = -1 }, place;
	bool stays = !busn_none(child) &&
		     (!busn_movable(child) || level->effort < BUSN_MOVE_ABOVE);

	for (place.start = level->first;
	     place.start <= level->last - level->size + 1; place.start++) {
		if (stays && place.start != child->start)
			continue;

		place.moves = busn_in_the_way(level, place.start, place.start +
					      level->size - 1);
		if (place.moves < 0 || !busn_place(level, place.start, &place.end))
			continue;

		if (!busn_none(child) && place.start != child->start)
			place.moves++;
		place.room = busn_room(level, place.start + level->size);
		if (busn_better(level, &place, &best))
			best = place;
	}

	if (best.start < 0) {
		busn_reset(level);
		return -1;
	}

	busn_place(level, best.start, &best.end);
	busn_cut(level);
	return best.end;
}

/* Climb until there is room; the topmost bus that changes, 0 if there is none */
static unsigned int busn_climb(struct pci_busn_plan *plan, unsigned int want,
			       enum busn_effort effort)
{
	struct pci_busn *bus = plan->bus, *parent;
	struct busn_level level = {
		.plan = plan,
		.effort = effort,
		.child = want,
		.size = bus[want].own,
	};
	unsigned int i;
	int end;

	for (i = 0; i < plan->count; i++)
		busn_stay(&bus[i]);

	for (;;) {
		level.parent = bus[level.child].parent;
		parent = &bus[level.parent];
		level.first = parent->start + parent->own;
		level.last = parent->end;
		level.grows = false;
		if (busn_level(&level) >= 0)
			return level.child;

		if (!level.parent || parent->fixed)
			return 0;

		/* What moves can be anywhere, it only needs the numbers */
		level.last = parent->pinned ? bus[0].end :
					      parent->start + PCI_BUSN_COUNT - 1;
		level.grows = true;
		end = busn_level(&level);
		if (end < 0)
			return 0;

		level.size = max(end, parent->end) - parent->start + 1;
		level.child = level.parent;
	}
}

/*
 * What is below a bus goes with it, and ends where it ends.  If the bus has
 * fewer numbers than it needs, what is below it is moved together.
 */
static void busn_settle(struct pci_busn_plan *plan)
{
	struct pci_busn *bus = plan->bus, *end = bus + plan->count, *parent;
	bool pack;

	bus->shift = 0;
	while (++bus < end) {
		parent = &plan->bus[bus->parent];
		pack = parent->packs && !busn_none(bus);
		if (pack) {
			bus->new_start = bus->packed;
			bus->new_end = bus->packed + bus->used - bus->start;
		}
		bus->new_start += parent->shift;
		bus->new_end = min(bus->new_end + parent->shift,
				   parent->new_end);
		bus->shift = bus->new_start - bus->start;
		bus->packs = pack || (!busn_none(bus) &&
				      bus->new_end - bus->new_start < bus->reach - bus->start);
	}
}

/* Numbers after a bus that nothing has */
static int busn_spare(const struct pci_busn_plan *plan, unsigned int which)
{
	const struct pci_busn *bus = &plan->bus[which];
	const struct pci_busn *end = plan->bus + plan->count, *other;
	int last = plan->bus[bus->parent].new_end, n;

	for (other = plan->bus + 1; other < end; other++)
		if (other != bus && other->parent == bus->parent &&
		    other->new_start <= other->new_end &&
		    other->new_start > bus->new_start)
			last = min(last, other->new_start - 1);

	for (n = bus->new_end + 1; n <= last; n++)
		if (plan->foreign[n])
			break;

	return n - 1 - bus->new_end;
}

/*
 * Leave numbers to what had to get more: an equal share for it and each empty
 * hotplug bridge beside it.
 */
static void busn_share(struct pci_busn_plan *plan, unsigned int top,
		       unsigned int want)
{
	struct pci_busn *bus = plan->bus;
	unsigned int i, other, path;
	int shares;

	for (i = top; i < plan->count; i++) {
		for (path = want; path > i; path = bus[path].parent)
			;
		if (path != i || bus[i].fixed)
			continue;

		shares = 1;
		for (other = 1; other < plan->count; other++)
			if (i != want && other != i &&
			    bus[other].parent == bus[i].parent &&
			    bus[other].hotplug && !bus[other].pinned)
				shares++;
		bus[i].new_end += busn_spare(plan, i) / shares;
	}
}

/* The lowest place below @parent beside what is placed already */
static int busn_pack_at(const struct pci_busn_plan *plan, unsigned int parent,
			int size)
{
	const struct pci_busn *bus = plan->bus;
	int start = bus[parent].start + bus[parent].own;
	unsigned int i;

again:
	for (i = parent + 1; i < plan->count; i++) {
		if (bus[i].parent != parent || bus[i].packed < 0 ||
		    !busn_overlap(start, start + size - 1, bus[i].packed,
				  bus[i].packed + bus[i].used - bus[i].start))
			continue;
		start = bus[i].packed + bus[i].used - bus[i].start + 1;
		goto again;
	}

	return start;
}

/* Move together what is right below a bus; what is further down is done */
static void busn_pack(struct pci_busn_plan *plan, unsigned int parent)
{
	struct pci_busn *bus = plan->bus, *next;
	unsigned int i;

	for (i = parent + 1; i < plan->count; i++)
		if (bus[i].parent == parent)
			bus[i].packed = busn_movable(&bus[i]) ? -1 : bus[i].start;

	/* The largest first */
	do {
		next = NULL;
		for (i = parent + 1; i < plan->count; i++)
			if (bus[i].parent == parent && bus[i].packed < 0 &&
			    !busn_none(&bus[i]) &&
			    (!next || bus[i].used - bus[i].start >
				      next->used - next->start))
				next = &bus[i];
		if (next)
			next->packed = busn_pack_at(plan, parent, next->used -
						    next->start + 1);
	} while (next);
}

/* How many numbers each bus needs */
static void busn_measure(struct pci_busn_plan *plan, bool pack)
{
	struct pci_busn *bus = plan->bus;
	unsigned int i, k;

	for (i = plan->count; i--; ) {
		bus[i].used = busn_none(&bus[i]) ? -1 :
			      bus[i].fixed ? bus[i].end :
					     bus[i].start + bus[i].own - 1;
		if (pack && !bus[i].fixed)
			busn_pack(plan, i);
		for (k = i + 1; k < plan->count; k++) {
			if (bus[k].parent != i || busn_none(&bus[k]))
				continue;
			bus[i].used = max(bus[i].used, !pack ? bus[k].used :
					  bus[k].packed + bus[k].used - bus[k].start);
		}
		bus[i].used = min(bus[i].used, bus[i].end);
		if (!pack)
			bus[i].reach = bus[i].used;
	}
}

/**
 * pci_plan_busn - find a number for a bridge that has none
 * @plan: the buses; output in @new_start and @new_end of each
 * @want: index of the bus behind the bridge, nothing is below it
 *
 * Buses that are in use keep their numbers.  The fewest bridges get others,
 * and nothing changes above the bridge where room can be made.
 *
 * Context: any.  Takes milliseconds with a hundred buses, some hundred if
 * there is no place.
 * Return: 0, or -ENOSPC if there is no number for it; then nothing changes.
 */
int pci_plan_busn(struct pci_busn_plan *plan, unsigned int want)
{
	enum busn_effort effort;
	unsigned int i, top;

	busn_measure(plan, false);
	for (effort = 0; effort < BUSN_EFFORTS; effort++) {
		if (effort == BUSN_PACK)
			busn_measure(plan, true);
		top = busn_climb(plan, want, effort);
		if (!top)
			continue;
		busn_settle(plan);
		busn_share(plan, top, want);
		return 0;
	}

	for (i = 0; i < plan->count; i++)
		busn_stay(&plan->bus[i]);
	return -ENOSPC;
}
