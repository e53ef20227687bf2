/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI enumeration pipeline: trace events
 *
 * Scripts outside the tree read pci:pci_stage; keep its text as it is.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pci

#if !defined(_PCI_PIPELINE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PCI_PIPELINE_TRACE_H

#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/pci-pipeline.h>
#include <linux/tracepoint.h>

TRACE_DEFINE_ENUM(PCI_STAGE_NONE);
TRACE_DEFINE_ENUM(PCI_STAGE_SCAN);
TRACE_DEFINE_ENUM(PCI_STAGE_CLAIM);
TRACE_DEFINE_ENUM(PCI_STAGE_ASSIGN);
TRACE_DEFINE_ENUM(PCI_STAGE_CONFIGURE);
TRACE_DEFINE_ENUM(PCI_STAGE_FINAL);
TRACE_DEFINE_ENUM(PCI_STAGE_ADD);
TRACE_DEFINE_ENUM(PCI_STAGE_BIND);

TRACE_DEFINE_ENUM(PCI_BATCH_BOOT);
TRACE_DEFINE_ENUM(PCI_BATCH_HOST);
TRACE_DEFINE_ENUM(PCI_BATCH_BUS);
TRACE_DEFINE_ENUM(PCI_BATCH_SLOT);
TRACE_DEFINE_ENUM(PCI_BATCH_VF);
TRACE_DEFINE_ENUM(PCI_BATCH_COMPAT);

#define show_pci_stage(stage)						\
	__print_symbolic(stage,						\
			 { PCI_STAGE_NONE, "unscan" },			\
			 { PCI_STAGE_SCAN, "scan" },			\
			 { PCI_STAGE_CLAIM, "claim" },			\
			 { PCI_STAGE_ASSIGN, "assign" },		\
			 { PCI_STAGE_CONFIGURE, "configure" },		\
			 { PCI_STAGE_FINAL, "final" },			\
			 { PCI_STAGE_ADD, "add" },			\
			 { PCI_STAGE_BIND, "bind" })

#define show_pci_batch_kind(kind)					\
	__print_symbolic(kind,						\
			 { PCI_BATCH_BOOT, "boot" },			\
			 { PCI_BATCH_HOST, "host" },			\
			 { PCI_BATCH_BUS, "bus" },			\
			 { PCI_BATCH_SLOT, "slot" },			\
			 { PCI_BATCH_VF, "vf" },			\
			 { PCI_BATCH_COMPAT, "compat" })

TRACE_EVENT(pci_stage,
	TP_PROTO(const struct pci_dev *dev, enum pci_stage stage, int result),

	TP_ARGS(dev, stage, result),

	TP_STRUCT__entry(
		__string(name, pci_name(dev))
		__field(unsigned int, batch)
		__field(int, stage)
		__field(int, result)
	),

	TP_fast_assign(
		__assign_str(name);
		__entry->batch = dev->batch;
		__entry->stage = stage;
		__entry->result = result;
	),

	TP_printk("dev=%s batch=%u stage=%s result=%d",
		  __get_str(name), __entry->batch,
		  show_pci_stage(__entry->stage), __entry->result)
);

TRACE_EVENT(pci_batch,
	TP_PROTO(const struct pci_batch *batch, const struct pci_bus *bus,
		 const char *event),

	TP_ARGS(batch, bus, event),

	TP_STRUCT__entry(
		__field(unsigned int, id)
		__field(int, kind)
		__string(bus, bus ? dev_name(&bus->dev) : "-")
		__string(event, event)
		__field(unsigned int, devices)
	),

	TP_fast_assign(
		__entry->id = batch->id;
		__entry->kind = batch->kind;
		__assign_str(bus);
		__assign_str(event);
		__entry->devices = batch->count;
	),

	TP_printk("batch=%u kind=%s bus=%s event=%s devices=%u",
		  __entry->id, show_pci_batch_kind(__entry->kind),
		  __get_str(bus), __get_str(event), __entry->devices)
);

TRACE_EVENT(pci_hold,
	TP_PROTO(const struct pci_hold *hold, const char *event),

	TP_ARGS(hold, event),

	TP_STRUCT__entry(
		__string(name, hold->name)
		__field(int, before)
		__string(event, event)
	),

	TP_fast_assign(
		__assign_str(name);
		__entry->before = hold->before;
		__assign_str(event);
	),

	TP_printk("hold=%s before=%s event=%s", __get_str(name),
		  show_pci_stage(__entry->before), __get_str(event))
);

TRACE_EVENT(pci_move,
	TP_PROTO(const struct pci_dev *dev, const char *bar,
		 const struct resource *from, const struct resource *to,
		 u64 stopped, u64 total),

	TP_ARGS(dev, bar, from, to, stopped, total),

	TP_STRUCT__entry(
		__string(name, pci_name(dev))
		__string(bar, bar)
		__field(u64, from)
		__field(u64, to)
		__field(u64, size)
		__field(u64, stopped)
		__field(u64, total)
	),

	TP_fast_assign(
		__assign_str(name);
		__assign_str(bar);
		__entry->from = from->start;
		__entry->to = to->start;
		__entry->size = resource_size(to);
		__entry->stopped = stopped;
		__entry->total = total;
	),

	TP_printk("dev=%s bar=\"%s\" from=%#llx to=%#llx size=%#llx stopped_ns=%llu total_ns=%llu",
		  __get_str(name), __get_str(bar), __entry->from, __entry->to,
		  __entry->size, __entry->stopped, __entry->total)
);

#endif /* _PCI_PIPELINE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../../drivers/pci/pipeline
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
