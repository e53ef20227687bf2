// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: the last plan of addresses below each root bus
 *
 * In /sys/kernel/debug/pci/plan, one line per item, so that a plan can be made
 * again elsewhere (tools/testing/pci/replay).  A plan is kept without its
 * devices, which may be gone when somebody looks.
 */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "../pci.h"
#include "layout.h"
#include "pipeline.h"

/* An item, and whose it is */
struct plan_line {
	unsigned int		parent;
	unsigned int		alt;
	unsigned int		to;
	u8			window:1;
	u8			hotplug:1;
	u8			optional:1;
	u8			pref:1;
	u8			barrier:1;
	u8			fixed:1;
	u8			vf:1;
	u8			kept:1;
	u8			laid_out:1;
	u8			reserved:1;
	u8			busnr;
	u8			devfn;
	enum pci_plan_hold	hold;
	u64			size;
	u64			align;
	u64			avoid;
	u64			reserve;
	u64			limit;
	u64			prefer;
	u64			least;
	struct pci_plan_place	old;
	struct pci_plan_place	new;
	const char		*name;
	const char		*why;
};

struct plan_record {
	struct list_head	node;
	int			domain;
	u8			busnr;
	unsigned long		type;
	unsigned int		missing;
	bool			isa;
	struct pci_plan_greedy	greedy;
	struct pci_plan_host	*host;
	unsigned int		hosts;
	unsigned int		count;
	struct plan_line	line[] __counted_by(count);
};

static LIST_HEAD(plan_records);
static DEFINE_MUTEX(plan_records_lock);

static struct plan_record *plan_record_find(struct pci_bus *root,
					    unsigned long type)
{
	struct plan_record *r;

	lockdep_assert_held(&plan_records_lock);
	list_for_each_entry(r, &plan_records, node)
		if (r->domain == pci_domain_nr(root) &&
		    r->busnr == root->number && (!type || r->type == type))
			return r;

	return NULL;
}

static void plan_record_drop(struct plan_record *r)
{
	list_del(&r->node);
	kfree(r->host);
	kvfree(r);
}

static struct plan_line plan_line(const struct pci_layout *layout,
				  unsigned int i)
{
	const struct pci_plan_item *item = &layout->plan.item[i];
	const struct pci_layout_res *r = &layout->res[i];
	struct plan_line line = {
		.parent = item->parent,
		.alt = item->alt,
		.to = item->to,
		.window = item->window,
		.hotplug = item->hotplug,
		.optional = item->optional,
		.pref = item->pref,
		.barrier = item->barrier,
		/* It may have had to give way, see pci_plan_most() */
		.fixed = item->fixed || item->kept,
		.vf = item->vf,
		.kept = item->kept,
		.laid_out = item->laid_out,
		.reserved = item->reserved,
		.hold = item->hold,
		.size = item->size,
		.align = item->align,
		.avoid = item->avoid,
		.reserve = item->reserve,
		.limit = item->limit,
		.prefer = item->prefer,
		.least = item->least,
		.old = item->old,
		.new = item->new,
	};

	if (r->dev) {
		line.busnr = r->dev->bus->number;
		line.devfn = r->dev->devfn;
		line.name = pci_resource_name(r->dev,
					      r->res - r->dev->resource);
		/*
		 * What could move if it had to; most plans leave it out.  What
		 * is where it should not be has no alignment, see collect.c.
		 */
		if (!item->window && item->old.has && item->align > 1 &&
		    r->dev->stage >= PCI_STAGE_ADD)
			line.hold = pci_move_hold(r->dev,
						  r->res - r->dev->resource,
						  false, &line.why);
	}

	return line;
}

/* A plan in which everything has room was made without the windows one by one */
static void plan_record_host(struct plan_record *r, struct pci_layout *layout)
{
	const struct pci_plan *plan = &layout->plan;

	if (!pci_is_root_bus(layout->bus) ||
	    (!plan->host && pci_layout_collect_host(layout)))
		return;

	r->host = kmemdup_array(plan->host, plan->hosts, sizeof(*plan->host),
				GFP_KERNEL);
	if (r->host)
		r->hosts = plan->hosts;
}

/**
 * pci_plan_record - remember a plan that was put in place
 * @layout: the layout
 *
 * Context: process context.
 */
void pci_plan_record(struct pci_layout *layout)
{
	unsigned int i, count = layout->plan.count;
	struct pci_bus *root = pci_find_host_bridge(layout->bus)->bus;
	struct plan_record *r, *old;

	r = kvzalloc(struct_size(r, line, count), GFP_KERNEL | __GFP_NOWARN);
	if (!r)
		return;

	r->domain = pci_domain_nr(root);
	r->busnr = root->number;
	r->type = layout->type;
	r->missing = layout->plan.missing;
	r->isa = layout->plan.isa;
	r->greedy = layout->greedy;
	plan_record_host(r, layout);
	r->count = count;
	for (i = 0; i < count; i++)
		r->line[i] = plan_line(layout, i);

	mutex_lock(&plan_records_lock);
	old = plan_record_find(root, r->type);
	if (old)
		plan_record_drop(old);
	list_add_tail(&r->node, &plan_records);
	mutex_unlock(&plan_records_lock);
}

/**
 * pci_plan_forget - forget the plans of a root bus that is removed
 * @root: the root bus
 *
 * Context: process context.
 */
void pci_plan_forget(struct pci_bus *root)
{
	struct plan_record *r;

	mutex_lock(&plan_records_lock);
	while ((r = plan_record_find(root, 0)))
		plan_record_drop(r);
	mutex_unlock(&plan_records_lock);
}

static void plan_show_place(struct seq_file *m, const char *when,
			    const struct pci_plan_place *place)
{
	if (place->has)
		seq_printf(m, " %s %llx-%llx", when, place->start, place->end);
	else
		seq_printf(m, " %s none", when);
}

static void plan_show_line(struct seq_file *m, const struct plan_record *r,
			   unsigned int i)
{
	const struct plan_line *line = &r->line[i];

	seq_printf(m, "item %u parent %u alt ", i, line->parent);
	if (line->alt == PCI_PLAN_NO_ALT)
		seq_puts(m, "-");
	else
		seq_printf(m, "%u", line->alt);
	seq_puts(m, line->window ? " window" : " bar");
	if (line->hotplug)
		seq_puts(m, " hotplug");
	if (line->optional)
		seq_puts(m, " optional");
	if (line->pref)
		seq_puts(m, " pref");
	if (line->barrier)
		seq_puts(m, " barrier");
	if (line->fixed)
		seq_puts(m, " fixed");
	if (line->vf)
		seq_puts(m, " vf");
	if (line->kept)
		seq_puts(m, " kept");
	if (line->laid_out)
		seq_puts(m, " laid-out");
	if (line->reserved)
		seq_puts(m, " reserved");
	seq_printf(m, " hold %u size %llx align %llx avoid %llx reserve %llx limit %llx prefer %llx",
		   line->hold, line->size, line->align, line->avoid,
		   line->reserve, line->limit, line->prefer);
	if (line->least)
		seq_printf(m, " least %llx", line->least);
	plan_show_place(m, "old", &line->old);
	plan_show_place(m, "new", &line->new);
	if (line->why)
		seq_printf(m, " why \"%s\"", line->why);
	seq_printf(m, " in %u name ", line->to);
	if (line->name)
		seq_printf(m, "%04x:%02x:%02x.%u %s\n", r->domain, line->busnr,
			   PCI_SLOT(line->devfn), PCI_FUNC(line->devfn),
			   line->name);
	else
		seq_puts(m, i ? "reserved\n" : "host bridge\n");
}

/* How it begins if not everything has room */
static void plan_show_greedy(struct seq_file *m,
			     const struct pci_plan_greedy *how)
{
	if (!how->tries)
		return;

	seq_printf(m, " tries %u first %u last %u bridge %u", how->tries,
		   how->first, how->last, how->bridge);
	if (how->boot)
		seq_puts(m, " boot");
	if (how->keep_bars)
		seq_puts(m, " keep-bars");
	if (how->keep_windows)
		seq_puts(m, " keep-windows");
	if (how->relax)
		seq_puts(m, " relax");
}

static void plan_show_hosts(struct seq_file *m, const struct plan_record *r)
{
	const struct pci_plan_host *host;

	for (host = r->host; host < r->host + r->hosts; host++)
		seq_printf(m, "host %llx-%llx%s%s\n", host->start, host->end,
			   host->pref ? " pref" : "", host->wide ? " wide" : "");
}

static int pci_plan_show(struct seq_file *m, void *unused)
{
	struct plan_record *r;
	unsigned int i;

	mutex_lock(&plan_records_lock);
	list_for_each_entry(r, &plan_records, node) {
		seq_printf(m, "plan %04x:%02x %s items %u missing %u%s",
			   r->domain, r->busnr,
			   r->type & IORESOURCE_IO ? "io" : "mem", r->count,
			   r->missing, r->isa ? " isa" : "");
		plan_show_greedy(m, &r->greedy);
		seq_putc(m, '\n');
		plan_show_hosts(m, r);
		for (i = 0; i < r->count; i++)
			plan_show_line(m, r, i);
	}
	mutex_unlock(&plan_records_lock);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pci_plan);

static int __init pci_plan_debugfs_init(void)
{
	debugfs_create_file("plan", 0400, debugfs_create_dir("pci", NULL), NULL,
			    &pci_plan_fops);
	return 0;
}
late_initcall(pci_plan_debugfs_init);
