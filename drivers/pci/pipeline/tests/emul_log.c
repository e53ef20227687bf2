// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: what the pipeline and the kernel log said
 */
#include <linux/atomic.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/printk.h>

#include "../trace.h"
#include "emul.h"

/**
 * emul_resources_assigned - does a device have all its addresses
 * @dev: the device
 *
 * Return: true if every BAR and window that has a size is assigned.
 */
bool emul_resources_assigned(struct pci_dev *dev)
{
	struct resource *res;
	int i;

	pci_dev_for_each_resource(dev, res, i) {
		/* Windows with nothing behind them, and optional ones */
		if (i >= PCI_BRIDGE_RESOURCES && !resource_size(res))
			continue;
		if (res->flags && res->end && !res->parent)
			return false;
	}

	return true;
}

static void emul_log_stage(void *data, const struct pci_dev *dev,
			   enum pci_stage stage, int result)
{
	struct emul_log *log = data;
	struct pci_dev *mutable_dev = (struct pci_dev *)dev;
	unsigned long flags;
	struct emul_fn *fn;

	if (!emul_is_emulated(dev) || emul_host_of(dev->bus) != log->host)
		return;

	fn = emul_fn_of(mutable_dev);
	raw_spin_lock_irqsave(&log->lock, flags);
	if (log->count < EMUL_EVENTS)
		log->event[log->count++] = (struct emul_event) {
			.bus	= dev->bus->number,
			.devfn	= dev->devfn,
			.stage	= stage,
			.result	= result,
			.batch	= dev->batch,
			.assigned = emul_resources_assigned(mutable_dev),
			.final	= fn ? fn->final : 0,
		};
	raw_spin_unlock_irqrestore(&log->lock, flags);

	if (log->hook)
		log->hook(log->ctx, mutable_dev, stage, result);
}

static void emul_log_stop(void *data)
{
	unregister_trace_pci_stage(emul_log_stage, data);
	tracepoint_synchronize_unregister();
	kvfree(data);
}

/**
 * emul_log_start - record the stages of devices
 * @host: below this host bridge
 *
 * Return: the record, which goes on until the end of the test.
 */
struct emul_log *emul_log_start(struct emul_host *host)
{
	struct emul_log *log;
	int ret;

	log = kvzalloc(sizeof(*log), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(host->test, log);
	log->host = host;
	raw_spin_lock_init(&log->lock);
	ret = register_trace_pci_stage(emul_log_stage, log);
	if (ret)
		kvfree(log);
	KUNIT_ASSERT_EQ(host->test, ret, 0);
	emul_do(host->test, emul_log_stop, log);

	return log;
}

/**
 * emul_log_clear - forget what was recorded
 * @log: the record
 */
void emul_log_clear(struct emul_log *log)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&log->lock, flags);
	log->count = 0;
	raw_spin_unlock_irqrestore(&log->lock, flags);
}

/**
 * emul_log_failures - how many devices were refused
 * @log: the record
 *
 * Return: the number of events with a result other than 0.
 */
unsigned int emul_log_failures(struct emul_log *log)
{
	unsigned int i, failures = 0;

	for (i = 0; i < log->count; i++)
		failures += !!log->event[i].result;

	return failures;
}

static void emul_grep_line(void *data, const char *text, size_t len)
{
	struct emul_grep *grep = data;

	if (strnstr(text, grep->text, len))
		atomic_inc(&grep->count);
}

static void emul_grep_stop(void *data)
{
	unregister_trace_console(emul_grep_line, data);
	tracepoint_synchronize_unregister();
}

/**
 * emul_grep_start - count lines in the kernel log until the end of the test
 * @test: the test
 * @grep: what to look for; not on the stack, which is gone when a test is
 *	cleaned up after
 */
void emul_grep_start(struct kunit *test, struct emul_grep *grep)
{
	atomic_set(&grep->count, 0);
	KUNIT_ASSERT_EQ(test, register_trace_console(emul_grep_line, grep), 0);
	emul_do(test, emul_grep_stop, grep);
}

/* From here on: warnings of the kernel, since boot */
static atomic_t emul_splat_count;

static void emul_splat_line(void *data, const char *text, size_t len)
{
	static const char * const splat[] = {
		"WARNING: ",
		"BUG: ",
		"Oops: ",
		"refcount_t: ",
		"is not initialized or has been destroyed",
		"DEBUG_LOCKS_WARN_ON",
		"Trying to vfree()",
		"sysfs: cannot create duplicate",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(splat); i++)
		if (strnstr(text, splat[i], len))
			atomic_inc(&emul_splat_count);
}

/**
 * emul_splats - how often did the kernel warn
 *
 * Return: number of warnings since the first call of this function.
 */
unsigned int emul_splats(void)
{
	static bool started;

	if (!started)
		started = !register_trace_console(emul_splat_line, NULL);

	return atomic_read(&emul_splat_count);
}
