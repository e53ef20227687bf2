/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_H
#define SHIM_H

/* Bytes that the allocators have asked for: now, and at most so far */
extern unsigned long shim_bytes;
extern unsigned long shim_peak;

/* Lines that they have logged */
extern unsigned long shim_messages;

#endif /* SHIM_H */
