// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks that tell what is wrong with them. A block carries its number, its
 * generation and a CRC over everything, so that a lost, stale, misplaced or
 * torn block is told from a good one.
 */
#include <pthread.h>

#include "agent.h"

#define MAGIC		0x50434944u

struct header {
	uint32_t magic;
	uint32_t crc;
	uint64_t block;
	uint64_t generation;
};

static uint32_t crc_table[256];

static void crc_init(void)
{
	uint32_t i, j;

	for (i = 0; i < 256; i++) {
		uint32_t c = i;

		for (j = 0; j < 8; j++)
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		crc_table[i] = c;
	}
}

static uint32_t crc32(const void *data, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const unsigned char *p = data;
	uint32_t c = ~0u;

	pthread_once(&once, crc_init);
	while (len--)
		c = crc_table[(c ^ *p++) & 0xff] ^ (c >> 8);
	return ~c;
}

/**
 * block_random() - next number of a sequence (xorshift)
 * @state: its state, not 0
 *
 * Return: the number.
 */
uint64_t block_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/**
 * block_fill() - make a block
 * @block: BLOCK bytes, aligned as a uint64_t
 * @nr: number of the block
 * @generation: of this content
 */
void block_fill(void *block, uint64_t nr, uint64_t generation)
{
	struct header *h = block;
	uint64_t *body = block, state = (nr + 1) * 0x9e3779b97f4a7c15ull ^
					generation;
	size_t i;

	for (i = sizeof(*h) / 8; i < BLOCK / 8; i++)
		body[i] = block_random(&state);
	h->magic = MAGIC;
	h->block = nr;
	h->generation = generation;
	h->crc = 0;
	h->crc = crc32(block, BLOCK);
}

/**
 * block_good() - is a block what was made last?
 * @block: BLOCK bytes; changed
 * @nr: number of the block
 * @generation: that block_fill() was told
 *
 * Return: true if it is.
 */
bool block_good(void *block, uint64_t nr, uint64_t generation)
{
	struct header *h = block;
	uint32_t crc = h->crc;

	if (h->magic != MAGIC || h->block != nr || h->generation != generation)
		return false;
	h->crc = 0;
	return crc32(block, BLOCK) == crc;
}
