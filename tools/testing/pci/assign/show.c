// SPDX-License-Identifier: GPL-2.0
/*
 * One event, with all addresses before it and on both sides after it
 */
#include <stdio.h>

#include "compare.h"

#define COLUMN	28

static const char *const kind_names[] = {
	"none", "io", "mem32", "mem64", "pref32", "pref64"
};

static const char *const window_names[] = { "io", "mem", "pref" };

static void show_range(const char *what, const struct a_range *range)
{
	if (range->end > range->start)
		printf("  %s %llx-%llx", what, range->start, range->end);
}

static void show_place(const struct a_place *place)
{
	char text[64] = "-";

	if (place->in != A_NOWHERE)
		snprintf(text, sizeof(text), "%llx-%llx", place->start,
			 place->end);
	printf(" %-*s", COLUMN, text);
}

/* A mark at the end of the line for what is to be looked at */
static const char *show_mark(const struct a_place *was,
			     const struct a_place *led,
			     const struct a_place *followed)
{
	if (led->in != A_NOWHERE && followed->in == A_NOWHERE)
		return "lost";
	if (led->in == A_NOWHERE && followed->in != A_NOWHERE)
		return "gained";
	if (was->in == A_NOWHERE || led->in == A_NOWHERE)
		return "";
	if (was->start != led->start || was->start != followed->start)
		return "moved";
	if (was->in != led->in || was->in != followed->in)
		return "in another window";
	return "";
}

static void show_res(const struct session *s, unsigned int i, unsigned int k)
{
	static const struct a_place none = { .in = A_NOWHERE };
	const struct a_place *was = i < s->e.from ? &s->before[i].res[k] : &none;
	const struct a_place *led = &s->led[i].res[k];
	const struct a_place *followed = &s->followed[i].res[k];
	const struct a_bar *bar = &s->h.fn[i].bar[k];

	if (k >= A_BARS && was->in == A_NOWHERE && led->in == A_NOWHERE &&
	    followed->in == A_NOWHERE)
		return;

	if (k < A_BARS)
		printf("    %s%u %-6s %10llx ", k == A_ROM ? "rom" : "bar", k,
		       kind_names[bar->kind], bar->size);
	else
		printf("    %4s window           ", window_names[k - A_BARS]);

	show_place(was);
	show_place(led);
	show_place(followed);
	printf(" %s\n", k < A_BARS ? show_mark(was, led, followed) : "");
}

static void show_fn(const struct session *s, unsigned int i)
{
	const struct a_fn *fn = &s->h.fn[i];
	unsigned int k;

	printf("%u", i);
	if (fn->parent >= 0)
		printf(" behind %d", fn->parent);
	if (fn->bridge)
		printf(": bridge%s%s, prefetchable: %d bits",
		       fn->hotplug ? ", hotplug" : "", fn->io ? ", io" : "",
		       fn->pref);
	printf("%s\n", i >= s->e.from ? ", new" : "");

	for (k = 0; k < A_RES; k++)
		if (k < A_BARS ? fn->bar[k].kind != A_NONE : fn->bridge)
			show_res(s, i, k);
}

void show(const struct session *s)
{
	unsigned int i;

	printf("seed %llu, event %u: %s", s->seed, s->e.nr,
	       event_names[s->e.kind]);
	if (s->e.kind == EVENT_HOT_ADD)
		printf(" behind %u", s->e.port);
	printf("\nhost bridge:");
	show_range("io", &s->h.host.io);
	show_range("mem", &s->h.host.low);
	show_range("mem", &s->h.host.more);
	show_range("pref64", &s->h.host.high);
	printf("\n%*s%-*s %-*s %s\n", 26, "", COLUMN, "before", COLUMN,
	       s->opt->leads->name, s->opt->follows->name);

	for (i = 0; i < s->h.count; i++)
		if (!s->h.fn[i].gone)
			show_fn(s, i);
	putchar('\n');
}
