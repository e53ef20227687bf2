// SPDX-License-Identifier: GPL-2.0
/* A log, from its first line to what the planner makes of the machine */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "dump.h"
#include "move.h"
#include "replay.h"
#include "svg.h"

enum replay_format {
	REPLAY_NONE,
	REPLAY_DMESG,
	REPLAY_LSPCI,
	REPLAY_DUMP,
};

/* "00:1f.0 ISA bridge" at the start of a line, as only lspci has it */
static bool replay_is_lspci(const char *line)
{
	const char *p = line;
	struct bdf at;
	u64 value;

	if (scan_bdf(&p, &at))
		return *p == ' ';
	return scan_hex(&p, 2, 2, &value) && scan_text(&p, ":") &&
	       scan_hex(&p, 2, 2, &value) && scan_text(&p, ".") &&
	       scan_hex(&p, 1, 1, &value) && *p == ' ';
}

/* "pci 0000:00:1f.0: ", or the driver of ports instead */
static bool replay_is_dmesg(const char *line)
{
	static const char * const names[] = { "pci ", "pcieport " };
	const char *p;
	struct bdf at;
	unsigned int i;

	if (strstr(line, "pci_bus "))
		return true;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		p = strstr(line, names[i]);
		if (p && scan_text(&p, names[i]) && scan_bdf(&p, &at) && *p == ':')
			return true;
	}
	return false;
}

/* A log of the kernel's is preferred, as it has the windows of host bridges */
static enum replay_format replay_format(struct log *log)
{
	enum replay_format format = REPLAY_NONE;
	const char *line;

	log_rewind(log);
	while ((line = log_next(log))) {
		if (dump_is_plan(line))
			return REPLAY_DUMP;
		if (replay_is_dmesg(line))
			format = REPLAY_DMESG;
		else if (format == REPLAY_NONE && replay_is_lspci(line))
			format = REPLAY_LSPCI;
	}
	return format;
}

static int replay_iomem(struct replay *r, struct fail *fail)
{
	struct log log;
	int ret;

	if (!r->options->iomem)
		return 0;
	ret = log_open(&log, r->options->iomem, fail);
	if (!ret)
		ret = iomem_read(&r->topo, &log, fail);
	log_close(&log);
	return ret;
}

static int replay_read(struct replay *r, struct log *log, struct fail *fail)
{
	const struct replay_options *o = r->options;

	switch (replay_format(log)) {
	case REPLAY_NONE:
		return fail_at(fail, log->name, 0,
			       "neither a kernel's log, nor lspci's output, nor a dump of plans");
	case REPLAY_DUMP:
		r->format = "dump of plans";
		if (dump_read(log, &r->boot, &r->count, fail))
			return -1;
		return o->hotadd ? hotadd_dump(r->boot, r->count, o->hotadd, fail) : 0;
	case REPLAY_DMESG:
		r->format = "kernel's log";
		if (dmesg_read(&r->topo, log, fail))
			return -1;
		break;
	case REPLAY_LSPCI:
		r->format = "lspci";
		if (lspci_read(&r->topo, log, fail) || iomem_read(&r->topo, log, fail))
			return -1;
		break;
	}

	if (replay_iomem(r, fail) || (o->root && root_parse(&r->topo, o->root, fail)) ||
	    topo_finish(&r->topo, fail))
		return -1;
	if (o->x86)
		r->topo.x86 = true;
	if (o->named)
		r->topo.drivers = true;
	if (o->hotadd &&
	    (hotadd_parse(&r->topo, o->hotadd, fail) || topo_finish(&r->topo, fail)))
		return -1;
	return 0;
}

static int replay_build(struct replay *r, struct fail *fail)
{
	unsigned int hosts = r->topo.host_count, host, type, n = 0;

	r->boot = calloc(hosts * TOPO_TYPES + 1, sizeof(*r->boot));
	r->found = calloc(hosts * TOPO_TYPES + 1, sizeof(*r->found));
	if (!r->boot || !r->found)
		return fail_at(fail, r->topo.name, 0, "out of memory");

	for (host = 0; host < hosts; host++) {
		for (type = 0; type < TOPO_TYPES; type++) {
			if (r->options->only && !(r->options->only & 1 << type))
				continue;
			r->count = n + 1;
			if (build_make(&r->boot[n], &r->topo, host, type, BUILD_BOOT) ||
			    build_make(&r->found[n], &r->topo, host, type, BUILD_FOUND))
				return fail_at(fail, r->topo.name, 0, "out of memory");
			n++;
		}
	}
	return 0;
}

static int replay_plan(struct replay *r, struct fail *fail)
{
	bool move = !r->options->still;
	unsigned int i;

	for (i = 0; i < r->count; i++) {
		if (move_plan(&r->boot[i], move) ||
		    (r->found && move_plan(&r->found[i], move)))
			return fail_at(fail, r->topo.name, 0, "out of memory");
		report_check(&r->boot[i], &r->tally);
		if (!r->found)
			continue;
		report_check(&r->found[i], &r->tally);
		report_count(&r->boot[i], &r->found[i], &r->tally);
	}
	return 0;
}

/**
 * replay_log - read a log and plan
 * @replay: options set, all else zeroed; replay_free() it, also after a failure
 * @log: the log
 * @fail: what is wrong with it
 *
 * Return: 0, or -1 with @fail.
 */
int replay_log(struct replay *replay, struct log *log, struct fail *fail)
{
	topo_init(&replay->topo, log->name);
	replay->topo.only = replay->options->only;
	if (replay_read(replay, log, fail))
		return -1;
	if (!replay->boot && replay_build(replay, fail))
		return -1;

	return replay_plan(replay, fail);
}

int replay_file(struct replay *replay, const char *path, struct fail *fail)
{
	struct log log;
	int ret = log_open(&log, path, fail);

	if (!ret)
		ret = replay_log(replay, &log, fail);
	log_close(&log);
	return ret;
}

/* Only what is in use on this root bus is worth a map */
static bool replay_drawn(const struct build *build)
{
	unsigned int i;

	for (i = 1; i < build->plan.count; i++)
		if (build->of[i].dev || build->mode == BUILD_DUMP)
			return true;
	return false;
}

static int replay_draw(struct replay *r, struct svg *svg)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < r->count && !ret; i++) {
		if (!replay_drawn(&r->boot[i]))
			continue;
		ret = svg_plan(svg, &r->boot[i], r->found ? "at boot" : "as dumped");
		if (!ret && r->found)
			ret = svg_plan(svg, &r->found[i], r->options->hotadd ?
				       "as found, with what is added" : "as found");
	}
	return ret;
}

static void replay_measure(const struct build *build, unsigned int *height,
			   unsigned int *columns)
{
	unsigned int depth = svg_columns(build);

	*height += svg_height(build);
	if (depth > *columns)
		*columns = depth;
}

static int replay_svg(struct replay *r, FILE *out)
{
	unsigned int i, height = 0, columns = 1;
	struct svg svg;
	int ret;

	for (i = 0; i < r->count; i++) {
		if (!replay_drawn(&r->boot[i]))
			continue;
		replay_measure(&r->boot[i], &height, &columns);
		if (r->found)
			replay_measure(&r->found[i], &height, &columns);
	}
	svg_begin(&svg, out, r->topo.name, height, columns);
	ret = replay_draw(r, &svg);
	svg_end(&svg);
	return ret;
}

static int replay_dump(struct replay *r, FILE *out)
{
	unsigned int i;

	for (i = 0; i < r->count; i++)
		dump_write(out, r->found && !r->options->boot ? &r->found[i] :
								&r->boot[i]);
	return 0;
}

static int replay_to(struct replay *r, const char *path,
		     int (*write)(struct replay *r, FILE *out), struct fail *fail)
{
	FILE *out;
	bool bad;

	if (!path)
		return 0;
	out = fopen(path, "w");
	if (!out)
		return fail_at(fail, path, 0, "%s", strerror(errno));
	bad = write(r, out) || ferror(out);
	if (fclose(out) || bad)
		return fail_at(fail, path, 0, "can't be written");
	return 0;
}

/**
 * replay_output - write all that is asked for
 * @replay: after replay_log()
 * @out: where the text goes
 * @fail: what is wrong
 *
 * Return: 0, or -1 with @fail.
 */
int replay_output(struct replay *replay, FILE *out, struct fail *fail)
{
	unsigned int i;

	if (replay->found)
		report_topo(out, &replay->topo, replay->format);
	for (i = 0; i < replay->count && !replay->options->quiet; i++) {
		if (replay->found)
			report_plan(out, &replay->boot[i], &replay->found[i]);
		else
			report_dump(out, &replay->boot[i]);
	}
	if (replay->found)
		report_tally(out, &replay->tally);
	report_broken(out, &replay->tally);

	if (replay_to(replay, replay->options->svg, replay_svg, fail))
		return -1;
	return replay_to(replay, replay->options->dump, replay_dump, fail);
}

void replay_free(struct replay *replay)
{
	unsigned int i;

	for (i = 0; i < replay->count; i++) {
		if (replay->boot)
			build_free(&replay->boot[i]);
		if (replay->found)
			build_free(&replay->found[i]);
	}
	free(replay->boot);
	free(replay->found);
	replay->boot = NULL;
	replay->found = NULL;
	replay->count = 0;
	topo_free(&replay->topo);
}
