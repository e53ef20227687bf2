// SPDX-License-Identifier: GPL-2.0
/*
 * A map of plans as SVG: boxes in boxes, and a column for each level of bridges
 *
 * Each BAR has a row of its own, and a window is as high as what is inside, as
 * no scale would show both a BAR of 256 bytes and one of 16 GiB.
 */
#include <stdlib.h>

#include <linux/kernel.h>

#include "report.h"
#include "svg.h"

#define SVG_ROW		16
#define SVG_COLUMN	230
#define SVG_LEFT	10
#define SVG_WIDTH	1150	/* at least, for the legend */
#define SVG_LEGEND	60
#define SVG_TITLE	30

static const char * const svg_colors[] = {
	[PCI_HOLD_FREE]		= "#cfe8cf",
	[PCI_HOLD_CLAIMED]	= "#fff2b0",
	[PCI_HOLD_UNBOUND]	= "#ffc67a",
	[PCI_HOLD_MOVABLE]	= "#bfe0ff",
	[PCI_HOLD_PINNED]	= "#f4b6b6",
};

static const char *svg_color(const struct pci_plan_item *item)
{
	if (!item->new.has)
		return "#ffffff";
	return svg_colors[item->fixed ? PCI_HOLD_PINNED : item->hold];
}

/* Names may have anything in them */
static void svg_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text >= ' ' && *text <= '~')
			fputc(*text, out);
		else
			fputc('?', out);
	}
}

static void svg_box(struct svg *svg, unsigned int x, unsigned int y, unsigned int width,
		    unsigned int height, const char *color)
{
	fprintf(svg->out,
		"<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"%s\" stroke=\"#444444\" stroke-width=\"0.7\"/>\n",
		x, y, width, height, color);
}

static void svg_legend(struct svg *svg)
{
	static const char * const names[] = {
		"free, moves first", "claimed, may move", "no driver, may move",
		"driver takes part, may move", "pinned or fixed, stays",
	};
	unsigned int i, x = SVG_LEFT;

	for (i = 0; i < ARRAY_SIZE(names); i++, x += 190) {
		svg_box(svg, x, 34, 14, 12, svg_colors[i]);
		fprintf(svg->out, "<text x=\"%u\" y=\"44\">%s</text>\n", x + 18, names[i]);
	}
	svg_box(svg, x, 34, 14, 12, "#ffffff");
	fprintf(svg->out, "<text x=\"%u\" y=\"44\">has no place</text>\n", x + 18);
}

void svg_begin(struct svg *svg, FILE *out, const char *title, unsigned int height,
	       unsigned int columns)
{
	unsigned int width = 2 * SVG_LEFT + columns * SVG_COLUMN;

	svg->out = out;
	svg->y = SVG_LEGEND;
	svg->columns = columns;
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" font-family=\"monospace\" font-size=\"10\">\n",
		width > SVG_WIDTH ? width : SVG_WIDTH, height + SVG_LEGEND);
	fprintf(out, "<rect width=\"100%%\" height=\"100%%\" fill=\"#fafafa\"/>\n");
	fprintf(out, "<text x=\"%u\" y=\"20\" font-size=\"14\">", SVG_LEFT);
	svg_text(out, title);
	fprintf(out, "</text>\n");
	svg_legend(svg);
}

/* What is not worth a box: windows that stay closed, and the unused */
static bool svg_shown(const struct pci_plan_item *item)
{
	return !item->barrier && (item->new.has || (!item->window && item->size));
}

/* Items by window and then by address, those without a place last */
struct svg_order {
	const struct pci_plan_item	*item;
	unsigned int			index;
};

static unsigned int svg_in(const struct pci_plan_item *item)
{
	return item->new.has ? item->to : item->parent;
}

static int svg_compare(const void *a, const void *b)
{
	const struct svg_order *x = a, *y = b;

	if (x->item->new.has != y->item->new.has)
		return x->item->new.has ? -1 : 1;
	if (x->item->new.has && x->item->new.start != y->item->new.start)
		return x->item->new.start < y->item->new.start ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static unsigned int svg_rows(const struct build *build, unsigned int window)
{
	const struct pci_plan_item *item = build->plan.item;
	unsigned int i, rows = 0;

	for (i = window + 1; i < build->plan.count; i++)
		if (svg_in(&item[i]) == window && svg_shown(&item[i]))
			rows += item[i].window ? svg_rows(build, i) : 1;
	return rows ? rows : 1;
}

/* Levels, the host bridge's included */
unsigned int svg_columns(const struct build *build)
{
	const struct pci_plan_item *item = build->plan.item;
	unsigned int most = 1, depth, i, k;

	for (i = 1; i < build->plan.count; i++) {
		if (!svg_shown(&item[i]))
			continue;
		for (depth = 1, k = i; k; k = svg_in(&item[k]))
			depth++;
		if (depth > most)
			most = depth;
	}
	return most;
}

unsigned int svg_height(const struct build *build)
{
	return svg_rows(build, 0) * SVG_ROW + SVG_TITLE;
}

static void svg_item(struct svg *svg, const struct build *build, unsigned int index,
		     unsigned int depth, unsigned int rows)
{
	const struct pci_plan_item *item = &build->plan.item[index];
	unsigned int x = SVG_LEFT + depth * SVG_COLUMN;
	unsigned int width = item->window ? (svg->columns - depth) * SVG_COLUMN : SVG_COLUMN;
	bool moved = item->old.has && (!item->new.has ||
				       item->new.start != item->old.start ||
				       item->new.end != item->old.end);

	/* The title is for the box as well as for the text */
	fprintf(svg->out, "<g><title>");
	svg_text(svg->out, build->of[index].name);
	if (item->new.has)
		fprintf(svg->out, ", %s", topo_hex(item->new.start, item->new.end).text);
	if (moved)
		fprintf(svg->out, ", was at %s",
			topo_hex(item->old.start, item->old.end).text);
	fprintf(svg->out, ", ");
	svg_text(svg->out, report_held(build, index).text);
	fprintf(svg->out, "</title>\n");
	/* A window reaches to the right, so that what is inside is inside */
	svg_box(svg, x, svg->y, width - 4 * (depth + 1), rows * SVG_ROW - 2, svg_color(item));
	fprintf(svg->out, "<text x=\"%u\" y=\"%u\"%s>", x + 3, svg->y + 11,
		moved ? " font-weight=\"bold\"" : "");
	svg_text(svg->out, build->of[index].name);
	fprintf(svg->out, "</text></g>\n");
	if (item->new.has && rows > 1)
		fprintf(svg->out, "<text x=\"%u\" y=\"%u\">%s</text>\n", x + 3,
			svg->y + 11 + SVG_ROW,
			topo_hex(item->new.start, item->new.end).text);
}

/* What is in a window, at @svg->y and below */
static int svg_inside(struct svg *svg, const struct build *build, unsigned int window,
		      unsigned int depth)
{
	const struct pci_plan_item *item = build->plan.item;
	struct svg_order *order = calloc(build->plan.count, sizeof(*order));
	unsigned int i, count = 0, rows;
	int ret = 0;

	if (!order)
		return -1;
	for (i = window + 1; i < build->plan.count; i++)
		if (svg_in(&item[i]) == window && svg_shown(&item[i]))
			order[count++] = (struct svg_order){ &item[i], i };
	qsort(order, count, sizeof(*order), svg_compare);

	for (i = 0; i < count && !ret; i++) {
		rows = order[i].item->window ? svg_rows(build, order[i].index) : 1;
		svg_item(svg, build, order[i].index, depth, rows);
		if (order[i].item->window)
			ret = svg_inside(svg, build, order[i].index, depth + 1);
		else
			svg->y += SVG_ROW;
	}
	if (!count)
		svg->y += SVG_ROW;
	free(order);
	return ret;
}

/* 0, or -1 if there is no memory */
int svg_plan(struct svg *svg, const struct build *build, const char *what)
{
	fprintf(svg->out, "<text x=\"%u\" y=\"%u\" font-size=\"12\">%04x:%02x %s, %s</text>\n",
		SVG_LEFT, svg->y + 20, build->domain, build->bus,
		build->type == TOPO_IO ? "I/O" : "memory", what);
	svg->y += SVG_TITLE;
	svg_item(svg, build, 0, 0, svg_rows(build, 0));
	return svg_inside(svg, build, 0, 1);
}

void svg_end(struct svg *svg)
{
	fprintf(svg->out, "</svg>\n");
}
