// SPDX-License-Identifier: GPL-2.0
/*
 * What the allocators call outside of themselves
 *
 * Linked by name, so that the types are not those of the kernel's headers, and
 * what is never reached is only there to be linked.
 */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

/* Kernel code keeps the stack aligned to 8 bytes only */
#define __aligned_stack	__attribute__((force_align_arg_pointer))

/* The kernel's __GFP_ZERO */
#define SHIM_ZERO	0x100

unsigned long shim_bytes;
unsigned long shim_peak;
unsigned long shim_messages;

/* What was written last, as an allocator looks at whether a BAR keeps it */
static unsigned int shim_written;

/*
 * The task that runs, of which flags are set while memory is allocated.  The
 * kernel finds it relative to a segment that begins at 0 here.
 */
static char shim_task[65536];

const struct {
	void *task;
	char rest[56];
} const_pcpu_hot __attribute__((aligned(64))) = { .task = shim_task };

/*
 * Not calloc(), which gets large blocks cleared for free, nor what the compiler
 * makes the same of.
 */
static void *shim_alloc(unsigned long size, unsigned int flags)
{
	void *p = malloc(size);

	if (!p)
		abort();
	__asm__ volatile("" : "+r" (p));
	if (flags & SHIM_ZERO)
		memset(p, 0, size);
	shim_bytes += malloc_usable_size(p);
	if (shim_bytes > shim_peak)
		shim_peak = shim_bytes;
	return p;
}

__aligned_stack void *__kmalloc_noprof(unsigned long size, unsigned int flags)
{
	return shim_alloc(size, flags);
}

__aligned_stack void *__kmalloc_cache_noprof(void *cache, unsigned int flags,
					     unsigned long size)
{
	return shim_alloc(size, flags);
}

__aligned_stack void *__kmalloc_large_noprof(unsigned long size,
					     unsigned int flags)
{
	return shim_alloc(size, flags);
}

__aligned_stack void *__kvmalloc_node_noprof(unsigned long size,
					     unsigned int flags, int node)
{
	return shim_alloc(size, flags);
}

__aligned_stack void *kvrealloc_noprof(const void *p, unsigned long size,
				       unsigned int flags)
{
	void *new;

	if (p)
		shim_bytes -= malloc_usable_size((void *)p);
	new = realloc((void *)p, size);
	if (!new)
		abort();
	shim_bytes += malloc_usable_size(new);
	if (shim_bytes > shim_peak)
		shim_peak = shim_bytes;
	return new;
}

__aligned_stack void kfree(const void *p)
{
	if (p)
		shim_bytes -= malloc_usable_size((void *)p);
	free((void *)p);
}

__aligned_stack void kvfree(const void *p)
{
	kfree(p);
}

/* A warning is fatal: the instruction that follows is not a valid one */
__aligned_stack void __warn_printk(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}

__aligned_stack void panic(const char *format, ...)
{
	fprintf(stderr, "the kernel panics: %s\n", format);
	abort();
}

const char *dev_driver_string(void *dev)
{
	return "dev";
}

const char *pci_resource_name(void *dev, unsigned int i)
{
	return "resource";
}

int pci_read_config_byte(void *dev, int where, unsigned char *val)
{
	*val = shim_written;
	return 0;
}

int pci_read_config_word(void *dev, int where, unsigned short *val)
{
	*val = shim_written;
	return 0;
}

int pci_read_config_dword(void *dev, int where, unsigned int *val)
{
	*val = shim_written;
	return 0;
}

/* Of any size */
int shim_write(void *dev, int where, unsigned int val)
{
	shim_written = val;
	return 0;
}

/* A line of the log */
int shim_message(void)
{
	shim_messages++;
	return 0;
}

/* The kernel's defaults */
unsigned long pci_hotplug_io_size = 256;
unsigned long pci_hotplug_mmio_size = 2 << 20;
unsigned long pci_hotplug_mmio_pref_size = 2 << 20;
unsigned long pci_hotplug_bus_size = 1;
unsigned long pci_cardbus_io_size = 256;
unsigned long pci_cardbus_mem_size = 64 << 20;
unsigned long pci_mem_start = 0x10000000;

/* Looked at, or passed on, without effect */
char pci_bus_sem[256];
void *kmalloc_caches[1024];
struct { void *next, *prev; } pci_root_buses = {
	&pci_root_buses, &pci_root_buses
};

/* The Makefile has the names of all that this stands for */
long shim_nothing(void)
{
	return 0;
}
